"""GReF: how it generates, and its losses next to plain loops."""

import itertools

import keras
import numpy as np
import pytest
from model_cases import TINY, arrays, awake, make_batch, tensors, tiny

from psad_tf.baselines.gen_reranker import GenReranker
from psad_tf.baselines.gref import PRETRAINING, GReF
from psad_tf.baselines.ordered_prediction import (
    log_p_ahead,
    log_p_of_order,
    order_loss,
    prediction_loss,
    windows,
)
from psad_tf.baselines.reranker import TRAIN
from psad_tf.targets import clicked_first

COUNTS = [6, 5, 3, 2, 1, 6]
VALID = np.arange(6) < np.array(COUNTS)[:, None]
SHOWN = np.where(VALID, np.arange(6), -1)
# Three passes of two items, and two layers to remember.
WHOLE = tiny(slate_length=6, num_decoder_layers=2)


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(0)
    made = GenReranker(WHOLE, heads=2)
    made.build()
    return awake(made)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = GReF(TINY, heads=2, order_weight=0.5, beta=0.3)
    made.build()
    return awake(made)


def log_softmax(x):
    return x - np.log(np.exp(x - x.max()).sum()) - x.max()


def plain_log_p(logits, order, count):
    """Of one order, `[passes, H, list]`, from the candidates not chosen yet."""
    total, left = 0.0, list(range(count))
    for place, item in enumerate(order):
        if item >= 0:
            each = log_softmax(logits.reshape(-1, logits.shape[-1])[place, left])
            total += each[left.index(item)]
            left.remove(item)
    return total


def test_it_generates_what_is_likeliest_given_what_it_generated(generator):
    inputs, _ = make_batch(WHOLE, COUNTS)
    is_valid = inputs["candidate_is_valid"]
    states = generator.encode(inputs)
    order, rest = generator.generate(states, is_valid)
    logits = np.array(generator(states, is_valid, order, every=2))
    order = np.array(order)
    for row, count in enumerate(COUNTS):
        assert sorted(order[row, :count]) == list(range(count))
        assert (order[row, count:] == -1).all()
        for place in range(count):
            left = order[row, place:count]
            here = logits[row, place // 2, place % 2]
            assert left[here[left].argmax()] == left[0]
    np.testing.assert_allclose(rest, logits[:, -1, -1], atol=1e-4)


def test_a_pass_sees_the_items_before_it_alone(generator):
    inputs, _ = make_batch(WHOLE, [6])
    is_valid, states = inputs["candidate_is_valid"], generator.encode(inputs)
    logits = [
        np.array(generator(states, is_valid, np.array([order])))[0]
        for order in ([0, 1, 2, 3, 4, 5], [0, 1, 4, 3, 2, 5])
    ]
    np.testing.assert_allclose(logits[0][:3], logits[1][:3], atol=1e-5)
    assert np.abs(logits[0][3:] - logits[1][3:]).max() > 1e-3


def test_probabilities_of_all_orders_sum_to_1(generator):
    inputs, _ = make_batch(WHOLE, [4])
    is_valid, states = inputs["candidate_is_valid"], generator.encode(inputs)
    orders = np.array([[*p, -1, -1] for p in itertools.permutations(range(4))])
    states, is_valid = (keras.ops.repeat(x, 24, axis=0) for x in (states, is_valid))
    logits = generator(states, is_valid, orders, every=2)
    log_p = np.array(log_p_of_order(logits, orders, is_valid))
    assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-4)
    expected = [
        plain_log_p(each, order, 4)
        for each, order in zip(np.array(logits), orders, strict=True)
    ]
    np.testing.assert_allclose(log_p, expected, rtol=1e-4)


@pytest.fixture
def ahead():
    """Logits of four heads along the lists as shown, and clicks."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(6, 6, 4, 6)).astype("float32")
    clicks = ((random.random((6, 6)) < 0.4) & VALID).astype("float32")
    return logits, clicks


def plain_ahead(logits, count, t):
    """log p of head k for the item at t + i, of those that are there."""
    there = range(min(4, count - t))
    each = [log_softmax(logits[t, k, t:count]) for k in there]
    return np.array([[each[k][i] for i in there] for k in there])


def test_each_head_predicts_an_item_further_ahead(ahead):
    logits, _ = ahead
    found = prediction_loss(*log_p_ahead(logits, SHOWN, VALID))
    for row, count in enumerate(COUNTS):
        terms = [np.diag(plain_ahead(logits[row], count, t)) for t in range(count)]
        expected = -np.concatenate(terms).mean()
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-7)


def test_the_better_order_of_the_next_items_is_to_be_likelier(ahead):
    logits, clicks = ahead
    found = order_loss(*log_p_ahead(logits, SHOWN, VALID), windows(clicks, 4, 0.0))
    for row, count in enumerate(COUNTS):
        terms = []
        for t in range(count):
            log_p = plain_ahead(logits[row], count, t)
            orders = [*itertools.permutations(range(len(log_p)))]
            total = [sum(log_p[k, i] for k, i in enumerate(o)) for o in orders]
            worth = [
                sum(clicks[row, t + i] / np.log2(k + 2) for k, i in enumerate(o))
                for o in orders
            ]
            pairs = [*itertools.permutations(range(len(orders)), 2)]
            terms += [
                np.log1p(np.exp(total[b] - total[a]))
                for a, b in pairs
                if worth[a] > worth[b] + 1e-6
            ]
        expected = np.mean(terms) if terms else 0
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-6)


def test_pretraining_is_both_losses(model):
    inputs, label = make_batch(TINY, COUNTS)
    shown = SHOWN[:, :4]
    logits = model.generator(model.generator.encode(inputs), VALID, shown)
    ahead = log_p_ahead(logits, shown, VALID)
    clicks = windows(label[:, :4], 2, 0.0)
    expected = prediction_loss(*ahead) + 0.5 * order_loss(*ahead, clicks)
    found = model.list_loss(inputs, label, stage=PRETRAINING)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_dpo_compares_with_the_reference(model):
    inputs, label = make_batch(TINY, COUNTS, seed=4)
    better, shown = np.array(clicked_first(label, VALID, 4)), SHOWN[:, :4]
    found = np.array(model.list_loss(inputs, label))
    gain = np.zeros((2, 6))
    for sign, part in ((1, model.generator), (-1, model.reference)):
        for way, order in enumerate((better, shown)):
            logits = part(part.encode(inputs), VALID, order, every=2)
            for row, count in enumerate(COUNTS):
                gain[way, row] += sign * plain_log_p(
                    np.array(logits)[row], order[row], count
                )
    has_pair = (better != shown).any(axis=1)
    assert 0 < has_pair.sum() < 6
    expected = np.log1p(np.exp(-0.3 * (gain[0] - gain[1])))
    np.testing.assert_allclose(found[has_pair], expected[has_pair], rtol=1e-3)
    assert (found[~has_pair] == 0).all()


def test_at_first_the_model_is_its_own_reference():
    keras.utils.set_random_seed(0)
    model = GReF(TINY)
    model.build()
    awake(model)
    assert model.copies(PRETRAINING) == []
    for to, source in model.copies(TRAIN):
        for variable, value in zip(to.variables, source.variables, strict=True):
            variable.assign(value)
    inputs, label = make_batch(TINY, COUNTS, seed=4)
    loss = np.array(model.list_loss(inputs, label))
    np.testing.assert_allclose(loss[loss > 0], np.log(2), rtol=1e-5)
    assert (loss > 0).any()


def test_the_preferred_order_may_be_made_likelier_too(model):
    inputs, label = make_batch(TINY, COUNTS, seed=4)
    order = np.array(clicked_first(label, VALID, 4))
    logits = model.generator(model.generator.encode(inputs), VALID, order, every=2)
    log_p = [
        plain_log_p(*each) for each in zip(np.array(logits), order, COUNTS, strict=True)
    ]
    expected = -np.array(log_p) / np.minimum(COUNTS, 4) * label.any(axis=1)
    without = np.array(model.list_loss(inputs, label))
    model.likelihood_weight = 0.5
    found = np.array(model.list_loss(inputs, label))
    model.likelihood_weight = 0.0
    np.testing.assert_allclose(found - without, 0.5 * expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("initial_order", [False, True])
def test_the_initial_order_is_known_if_wanted(initial_order):
    keras.utils.set_random_seed(0)
    model = GReF(TINY, initial_order=initial_order)
    model.build()
    awake(model)
    inputs, _ = make_batch(TINY, [6] * 8)
    turned = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        turned[name] = turned[name][:, ::-1].copy()
    found = np.array(model.generator.encode(tensors(turned)))[:, ::-1]
    is_same = np.allclose(found, model.generator.encode(inputs), atol=1e-4)
    assert is_same != initial_order


def test_what_is_preferred_is_sorted_by_place_and_click():
    clicks = (np.random.default_rng(1).random((6, 6)) < 0.4) & VALID
    score = np.where(VALID, 1 / np.arange(1, 7) + clicks, -1)
    expected = np.where(VALID, np.argsort(-score, axis=1, kind="stable"), -1)
    np.testing.assert_array_equal(clicked_first(clicks, VALID, 6), expected)


def test_the_heads_are_refused():
    with pytest.raises(ValueError, match="heads=0"):
        GReF(TINY, heads=0)
