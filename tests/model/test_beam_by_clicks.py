"""Beams by clicks: worth the sum of click probabilities, by hand and by all orders."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops
from model_cases import awake, make_batch, tiny

from psad_tf.decoding import beam_search
from psad_tf.generator import generate
from psad_tf.model import build_psad

# Click probabilities: in the first slot, and in the second after each first item.
FIRST = [0.5, 0.4, 0.3]
SECOND = [[0.9, 0.1, 0.2], [0.6, 0.9, 0.2], [0.1, 0.3, 0.9]]


def logit(p):
    return np.log(p) - np.log1p(-np.array(p))


class Tables:
    """Stands for a decoder: the logits are in the tables above."""

    def known(self, states):
        return None

    def __call__(self, states, is_valid, ids, order, earlier, same, training, known):
        slot = int(ops.convert_to_numpy(ids)[0, 0])
        tables = np.array([logit([FIRST] * 3), logit(SECOND)], "float32")
        given = ops.maximum(order[:, 0], 0) if slot else ops.zeros_like(ids[:, 0])
        return ops.take(tables[slot], given, axis=0)[:, None]


class ByTable:
    """Stands for a model whose decoder reads its logits from the tables above."""

    decoder = Tables()

    def __init__(self, kind):
        self.config = SimpleNamespace(
            beam_width=1,
            slate_length=2,
            block_size=1,
            refine_size=0,
            target_order=kind,
        )

    def __call__(self, inputs, training):
        return {"states": np.zeros((len(inputs["candidate_is_valid"]), 3, 1))}


def searched(width, kind="exposed", count=3):
    inputs = {"candidate_is_valid": np.arange(3)[None] < count}
    order, worth = beam_search(ByTable(kind), inputs, width)
    return np.array(order)[0].tolist(), float(worth[0])


def test_greedy_takes_the_likeliest_click_of_each_slot():
    # 0 is best now; after it 2 with 0.2.
    order, worth = searched(1)
    assert order == [0, 2] and worth == pytest.approx(0.5 + 0.2)


@pytest.mark.parametrize("width", [2, 6, 9])
def test_a_beam_finds_the_order_with_the_most_clicks(width):
    # 0.4 and then 0.6, more than 0.5 and then 0.2; what is placed is not placed again.
    order, worth = searched(width)
    assert order == [1, 0] and worth == pytest.approx(0.4 + 0.6)


def test_by_log_probability_the_same_tables_give_another_order():
    order, worth = searched(9, kind="sampled")
    best = {}
    for first, second in permutations(range(3), 2):
        now = np.exp(logit(FIRST))
        left = [i for i in range(3) if i != first]
        then = np.exp(logit(np.array(SECOND[first])))
        share = now[first] / now.sum() * then[second] / then[left].sum()
        best[first, second] = np.log(share)
    expected = max(best, key=best.get)
    assert order == list(expected) and worth == pytest.approx(best[expected], abs=1e-5)


@pytest.mark.parametrize("width", [1, 2, 9])
def test_slots_past_the_lists_end_are_worth_nothing(width):
    assert searched(width, count=1) == ([0, -1], pytest.approx(0.5))
    assert searched(width, count=0) == ([-1, -1], pytest.approx(0.0))


@pytest.fixture(scope="module", params=[1, 2])
def exposed(request):
    config = tiny(
        target_order="exposed",
        refine_size=0,
        slate_length=3,
        list_length=4,
        block_size=request.param,
    )
    return awake(build_psad(config))


def clicks(model, inputs, b, orders):
    """The click probabilities in each slot when an order was placed.

    Returns `[orders, slots, list]`.
    """
    given = np.array([[*order, -1, -1, -1][:3] for order in orders], "int32")
    is_valid, states = inputs["candidate_is_valid"], model(inputs)["states"]
    is_valid, states = (
        np.repeat(np.array(x)[b : b + 1], len(given), axis=0)
        for x in (is_valid, states)
    )
    size = model.config.block_size
    logits = np.array(generate(model.decoder, states, is_valid, given, size))
    return 1 / (1 + np.exp(-logits))


def test_a_wide_beam_against_all_orders(exposed):
    counts = [4, 3, 1]
    inputs, _ = make_batch(exposed.config, counts)
    found, worth = beam_search(exposed, inputs, beam_width=24)
    for b, count in enumerate(counts):
        orders = list(permutations(range(count), min(count, 3)))
        values = {
            order: sum(p[j, i] for j, i in enumerate(order))
            for order, p in zip(orders, clicks(exposed, inputs, b, orders), strict=True)
        }
        best = max(values, key=values.get)
        assert float(worth[b]) == pytest.approx(values[best], abs=1e-4)
        expected = [*best, -1, -1, -1][:3]
        np.testing.assert_array_equal(np.array(found)[b], expected)


def test_greedy_is_the_argmax_of_each_slot(exposed):
    counts = [4, 4, 2]
    inputs, _ = make_batch(exposed.config, counts)
    found, worth = beam_search(exposed, inputs, beam_width=1)
    for b, count in enumerate(counts):
        order, total = [], 0.0
        for slot in range(min(count, 3)):
            p = clicks(exposed, inputs, b, [order])[0, slot]
            best = max((i for i in range(count) if i not in order), key=p.__getitem__)
            order.append(best)
            total += p[best]
        assert [i for i in np.array(found)[b] if i >= 0] == order
        assert float(worth[b]) == pytest.approx(total, abs=1e-4)
