"""Generation against exhaustive search and greedy loops."""

from itertools import permutations

import numpy as np
import pytest
from backend_tools import compiled
from keras import ops
from model_cases import TINY, awake, make_batch, tiny

from psad_tf import targets
from psad_tf.decoding import beam_search, full_order
from psad_tf.generator import generate, refine
from psad_tf.model import build_psad

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]


def log_softmax(x):
    return x - np.log(np.sum(np.exp(x - x.max()))) - x.max()


def orders_log_p(model, inputs, states, b, orders):
    """Log-probabilities of orders of list b: the chain rule over their slots.

    `states` are the model's, `[batch, list, dim]`.
    """
    slots = model.config.slate_length
    given = np.array([[*order, *[-1] * slots][:slots] for order in orders], "int32")
    is_valid = np.array(inputs["candidate_is_valid"])[b]
    logits = generate(
        model.decoder,
        np.repeat(states[b : b + 1], len(given), axis=0),
        np.repeat(is_valid[None], len(given), axis=0),
        given,
        model.config.block_size,
    )
    totals = []
    for own, order in zip(np.array(logits), orders, strict=True):
        total, left = 0.0, list(np.flatnonzero(is_valid))
        for j, item in enumerate(order):
            total += log_softmax(own[j, left])[left.index(item)]
            left.remove(item)
        totals.append(total)
    return totals


@pytest.mark.parametrize("block_size", [1, 2, 3])
def test_a_wide_beam_finds_the_most_likely_order(block_size):
    config = tiny(block_size=block_size, refine_size=0, slate_length=3, list_length=4)
    model = awake(build_psad(config))
    inputs, _ = make_batch(config, [4, 3, 1])
    found, log_p = beam_search(model, inputs, beam_width=24)
    states = np.array(model(inputs)["states"])
    for b, count in enumerate([4, 3, 1]):
        orders = list(permutations(range(count), min(count, 3)))
        values = orders_log_p(model, inputs, states, b, orders)
        likely = dict(zip(orders, values, strict=True))
        best = max(likely, key=likely.get)
        np.testing.assert_allclose(log_p[b], likely[best], atol=1e-4)
        expected = list(best) + [-1] * (3 - len(best))
        np.testing.assert_array_equal(found[b], expected)


def test_a_beam_of_one_is_greedy():
    model = awake(build_psad(tiny(refine_size=0)))
    inputs, _ = make_batch(TINY, COUNTS)
    found, log_p = beam_search(model, inputs, beam_width=1)
    states = np.array(model(inputs)["states"])
    for b, count in enumerate(COUNTS):
        order = [i for i in np.array(found)[b].tolist() if i >= 0]
        assert len(order) == min(count, 4)
        left = [[i for i in range(count) if i not in order[:j]] for j in range(4)]
        options = [order[:j] + [i] for j, items in enumerate(left) for i in items]
        values = iter(orders_log_p(model, inputs, states, b, options))
        for j, item in enumerate(order):
            likely = {i: next(values) for i in left[j]}
            assert max(likely, key=likely.get) == item
        np.testing.assert_allclose(log_p[b], likely[order[-1]], atol=1e-4)


@pytest.mark.parametrize("width", [1, 4, 30])
@pytest.mark.parametrize(
    ("block_size", "refine_size"), [(1, 1), (2, 2), (4, 4), (3, 0)]
)
def test_orders_repeat_nothing_and_end_with_the_list(width, block_size, refine_size):
    config = tiny(block_size=block_size, refine_size=refine_size)
    model = awake(build_psad(config))
    inputs, _ = make_batch(config, COUNTS)
    found, log_p = (np.array(x) for x in beam_search(model, inputs, width))
    assert found.dtype == np.int32
    assert ((log_p <= 0) & (log_p > -1e3)).all()
    for order, count in zip(found, COUNTS, strict=True):
        items = order[: min(count, 4)]
        assert len(set(items)) == len(items)
        assert ((items >= 0) & (items < count)).all()
        assert (order[min(count, 4) :] == -1).all()


def test_refinement_chooses_the_least_sure_slot_again():
    """The same weights with and without eq 4 differ in that slot at most."""
    plain = awake(build_psad(tiny(refine_size=0, block_size=4)))
    # Quiet slots, so that what a slot sees decides, and not where it stands.
    slots = plain.decoder.slots.embeddings
    slots.assign(slots * 0.1)
    refined = build_psad(tiny(refine_size=1, block_size=4))
    refined.set_weights(plain.get_weights())
    inputs, _ = make_batch(TINY, [6, 6, 6, 3] * 3)
    is_valid, states = inputs["candidate_is_valid"], plain(inputs)["states"]
    before = np.array(beam_search(plain, inputs, 1)[0])
    after = np.array(beam_search(refined, inputs, 1)[0])
    expected = before.copy()
    for b, order in enumerate(before):
        order = [i for i in order.tolist() if i >= 0]
        starts = [order[:j] for j in range(len(order) + 1)]
        steps = orders_log_p(plain, inputs, np.array(states), b, starts)
        slot = int(np.argmin(np.diff(steps)))
        is_masked = np.arange(4)[None] == slot
        logits, remains = refine(
            plain.decoder,
            states[b : b + 1],
            is_valid[b : b + 1],
            before[b : b + 1],
            np.array([[slot]], "int32"),
            is_masked,
        )
        allowed = np.where(remains, logits, -np.inf)[0, 0]
        expected[b, slot] = np.argmax(allowed)
    np.testing.assert_array_equal(after, expected)
    assert (after != before).any()
    # What the search is asked for comes before what the configuration says.
    for model, size, wanted in ((refined, 0, before), (plain, 1, after)):
        found, _ = beam_search(model, inputs, 1, refine_size=size)
        np.testing.assert_array_equal(found, wanted)


def test_the_evaluator_has_the_last_word_and_sees_whole_orders():
    model = awake(build_psad(TINY))
    inputs, _ = make_batch(TINY, COUNTS)
    seen = {}

    def first_item(given, orders):
        assert given is inputs
        seen["orders"] = np.array(orders)
        return ops.cast(orders[:, :, 0], "float32")  # Likes late candidates in front.

    found, _ = beam_search(model, inputs, 4, first_item)
    assert seen["orders"].shape == (8, 4, 4)
    # Lists of one or two candidates have fewer orders than beams; the rest is no order.
    orders = [
        seen["orders"][b, : 4 if count > 2 else count] for b, count in enumerate(COUNTS)
    ]
    for order, options in zip(np.array(found), orders, strict=True):
        assert order[0] == options[:, 0].max()


def test_compiled_equals_eager():
    model = awake(build_psad(TINY))
    inputs, _ = make_batch(TINY, COUNTS)
    order, log_p = compiled(lambda x: beam_search(model, x), inputs)(inputs)
    np.testing.assert_array_equal(order, beam_search(model, inputs)[0])
    np.testing.assert_allclose(log_p, beam_search(model, inputs)[1], atol=1e-4)


def test_a_beam_needs_a_width():
    with pytest.raises(ValueError, match="beam_width=0; it must be at least 1"):
        beam_search(build_psad(TINY), make_batch(TINY, [3])[0], beam_width=0)


def test_full_order_appends_the_rest_by_score():
    order = np.array([[4, 1], [2, -1]], "int32")
    scores = np.array([[0.1, 0.9, 0.5, 0.5, 0.3], [0.1, 0.2, 0.3, 9, 9]], "float32")
    is_valid = np.array([[True] * 5, [True, True, True, False, False]])
    found = full_order(order, scores, is_valid)
    np.testing.assert_array_equal(found, [[4, 1, 2, 3, 0], [2, 1, 0, -1, -1]])


def test_full_order_of_a_whole_slate_is_the_slate():
    model = awake(build_psad(tiny(slate_length=6)))
    inputs, _ = make_batch(TINY, COUNTS)
    order, _ = beam_search(model, inputs)
    is_valid = inputs["candidate_is_valid"]
    found = full_order(order, model.scorer(inputs), is_valid)
    np.testing.assert_array_equal(found, order)
    np.testing.assert_array_equal(
        np.array(targets.slot_is_valid(is_valid, 6)), np.array(found) >= 0
    )
