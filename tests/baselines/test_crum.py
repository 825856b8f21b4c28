import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops
from model_cases import TINY, awake, make_batch
from recurrent_loops import lstm, sigmoid

from psad_tf.baselines.crum import CRUM, EVALUATOR
from psad_tf.baselines.crum_layers import ClickEvaluator, GraphAttention, swapped
from psad_tf.baselines.registry import build_reranker
from psad_tf.baselines.reranker import TRAIN

COUNTS = [6, 5, 3, 1]


def make(**kwargs):
    return awake(build_reranker("crum", TINY, **kwargs))


@pytest.mark.parametrize("count", [5, 3, 1])
def test_an_item_gathers_the_others(count):
    layer = GraphAttention(num_heads=2)
    layer.build((None, 5, 8))
    awake(layer)
    items = np.random.default_rng(0).normal(size=(1, 5, 8)).astype("float32")
    found = np.array(layer(items, (np.arange(5) < count)[None]))[0]
    values = (items[0] @ layer.project.kernel.numpy()).reshape(5, 2, 4)
    ends = layer.ends.numpy()
    for i, head in itertools.product(range(count), range(2)):
        others = [j for j in range(count) if j != i]
        logits = [
            values[i, head] @ ends[head, :, 0] + values[j, head] @ ends[head, :, 1]
            for j in others
        ]
        weights = [math.exp(e if e > 0 else 0.2 * e) for e in logits]
        total = np.zeros(4)
        for weight, j in zip(weights, others, strict=True):
            total += weight / sum(weights) * values[j, head]
        expected = np.where(total > 0, total, np.expm1(total))
        mine = found[i, 4 * head : 4 * head + 4]
        np.testing.assert_allclose(mine, expected, atol=1e-5)


def test_the_evaluator_reads_both_ways_and_asks_the_place():
    layer = ClickEvaluator(units=3, hidden_units=7, num_layers=2)
    layer.build((None, 5, 4))
    awake(layer)
    items = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    counts = [5, 3, 1]
    found = np.array(layer(items, np.arange(5) < np.array(counts)[:, None]))
    for row, count in enumerate(counts):
        listed = items[row, :count]
        down, up = lstm(layer.down, listed), lstm(layer.up, listed[::-1])[::-1]
        for p in range(count):
            state = np.concatenate([down[p], up[p], listed[p]])
            for dense in layer.hidden:
                kernel, bias = (w.numpy() for w in dense.weights)
                state = np.maximum(state @ kernel + bias, 0)
            # One output for each place, then that of its own.
            every = layer.outputs.numpy() @ state + layer.bias.numpy()
            np.testing.assert_allclose(found[row, p], every[p], atol=1e-4)


def test_two_items_change_places():
    order = np.array([[2, 0, 1, 3]])
    found = swapped(order, np.array([[2, 0, 1]]), np.array([[3, 0, 2]]))
    np.testing.assert_array_equal(found, [[[3, 0, 1, 2], [2, 0, 1, 3], [1, 0, 2, 3]]])


def test_clicks_are_those_of_the_list_in_that_order():
    model = make()
    inputs, _ = make_batch(TINY, [6, 5])
    order = np.array([[[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 0, 5]]] * 2, "int32")
    found = np.array(model.clicks(inputs, order))
    vectors, is_valid = np.array(model.judged(inputs)), inputs["candidate_is_valid"]
    for k in range(2):
        listed = np.take_along_axis(vectors, order[:, k, :, None], axis=1)
        expected = sigmoid(np.array(model.evaluator(listed, is_valid)))
        np.testing.assert_allclose(found[0, k], expected[0], atol=1e-5)
        np.testing.assert_allclose(found[1, k, :5], expected[1, :5], atol=1e-5)
    assert (found[1, :, 5] == 0).all()


def seen_by_place(examined, liked):
    """An evaluator: what an item's attraction and its place make of each other."""
    examined, liked = np.array(examined), np.array(liked)

    def clicks(inputs, order):
        return ops.convert_to_tensor(
            (liked[np.array(order)] * examined).astype("float32")
        )

    return clicks


def gains(model, label, order, first, second):
    inputs = {"candidate_is_valid": np.array([[True, True, True]])}
    items = (np.array([x], "int32") for x in (order, first, second))
    return np.array(model._gain(inputs, np.array([label], "float32"), *items))[0]


def test_a_click_is_worth_what_its_place_lets_be_seen():
    model = make(discounted=False, pairs=3)
    model.clicks = seen_by_place([0.8, 0.4, 0.2], [0.5, 0.25, 0.5])
    # Item 2 was clicked in the last place: on top it is seen 4 times as often, in the
    # middle twice; how much it is liked cancels out.
    found = gains(model, [0, 0, 1], [0, 1, 2], [2, 2, 2], [0, 1, 2])
    np.testing.assert_allclose(found, [3, 1, 0], atol=1e-5)


def test_clicks_weigh_each_other_up_and_places_are_discounted():
    model = make(pairs=1)
    model.clicks = seen_by_place([0.8, 0.4, 0.2], [0.5, 0.5, 0.5])
    # Items 0 and 2 were clicked: 0 sinks to a quarter, 2 rises to the fourfold.
    weight = 1 / math.log2(4)
    before, after = 1 + weight, 4 + weight / 4
    found = gains(model, [1, 0, 1], [0, 1, 2], [2], [0])
    np.testing.assert_allclose(found, [after - before], rtol=1e-5)


@pytest.mark.parametrize("context", ["shown", "ranked"])
def test_the_gain_in_an_order_is_counted_from_that_order(context):
    model = make(context=context, discounted=False, pairs=1)
    model.clicks = seen_by_place([0.8, 0.4, 0.2], [0.5, 0.5, 0.5])
    if context == "shown":
        found = gains(model, [1, 0, 0], [0, 1, 2], [0], [2])
        expected = 1 / 4 - 1
    else:
        # Shown on top, ranked last: back on top it gains three quarters.
        found = gains(model, [1, 0, 0], [2, 1, 0], [0], [2])
        expected = 1 - 1 / 4
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


@pytest.mark.parametrize("context", ["shown", "ranked"])
def test_the_loss_puts_the_item_on_top_that_gains_there(context):
    model = make(context=context, pairs=9)
    inputs, _ = make_batch(TINY, [3])
    pairs = np.array(list(itertools.product([0, 1, 2], repeat=2)), "int32").T[:, None]
    gain = np.array([[0, 2, -1, -2, 0, 3, 0.5, -0.25, 0]], "float32")
    model._draw_pairs = lambda label, is_valid: pairs
    model._gain = lambda *arguments: gain
    scores = np.array(model(inputs))[0]
    order = [0, 1, 2] if context == "shown" else list(np.argsort(-scores[:3]))
    expected = 0
    for n, (i, j) in enumerate(pairs[:, 0].T):
        below, above = (i, j) if order.index(i) > order.index(j) else (j, i)
        top, bottom = (below, above) if gain[0, n] > 0 else (above, below)
        expected += abs(gain[0, n]) * math.log1p(math.exp(scores[bottom] - scores[top]))
    found = model.list_loss(inputs, np.zeros((1, 6), "float32"))
    np.testing.assert_allclose(found, [expected / 9], rtol=1e-4)


def test_pairs_are_of_a_click_and_any_candidate():
    model = make(pairs=300)
    is_valid = np.arange(6) < np.array([[5]])
    label = np.array([[0, 1, 0, 1, 0, 1]], "float32")
    first, second = (np.array(x)[0] for x in model._draw_pairs(label, is_valid))
    assert set(first) == {1, 3}
    assert set(second) == {0, 1, 2, 3, 4}


def test_no_click_no_loss():
    inputs, _ = make_batch(TINY, COUNTS)
    found = make().list_loss(inputs, np.zeros((4, 6), "float32"))
    np.testing.assert_array_equal(found, np.zeros(4))


def test_the_evaluator_learns_clicks_and_is_then_fixed():
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    for stage, learns in ((EVALUATOR, True), (TRAIN, False)):
        model.begin(stage)
        for to, source in model.copies(stage):
            for variable, value in zip(to.variables, source.variables, strict=True):
                variable.assign(value.numpy())
        before = [w.numpy() for w in model.evaluator.weights + model.judged.weights]
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        model.fit(inputs, label, batch_size=4, verbose=0)
        after = [w.numpy() for w in model.evaluator.weights + model.judged.weights]
        moved = [(a != b).any() for a, b in zip(before, after, strict=True)]
        assert any(moved) == learns


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"context": "any"}, "context='any'; choose one of"),
        ({"pairs": 0}, "pairs=0; it must be at least 1"),
    ],
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        CRUM(TINY, **wrong)
