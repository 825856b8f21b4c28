"""Worths of orders, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import SIZES, make_bundle

from psad_tf import tensors
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, Bundle
from psad_tf.bench.evaluate import evaluate, order_of_scores, scores_of_order, utility

LABEL = np.array([[0, 1, 0, 1, 0], [1, 0, 0, 0, 0]], np.float32)
IS_VALID = np.array([[True] * 4 + [False], [True] * 2 + [False] * 3])
SCORES = np.array([[0.9, 0.8, 0.1, 0.3, 7.0], [-1, 2, 9, 9, 9]], np.float32)
# Two of length 2, and one against the first: likeness 1 of same, 0.5 and 0.
VECTORS = np.array([[2, 0], [0, 2], [-2, 0]], np.float32)


def bundle(eta=None):
    columns = {
        name: array[:2] for name, array in make_bundle().splits["test"].items()
    } | {tensors.LABEL: LABEL, tensors.CANDIDATE_IS_VALID: IS_VALID}
    if eta is not None:
        columns[RELEVANCE] = np.array([[0.5, 0.4, 0.8, 0.2, 1]] * 2, np.float32)
        columns[ITEM_INDEX] = np.array([[0, 0, 1, 2, 0]] * 2)
    vectors = None if eta is None else VECTORS
    return Bundle("two", SIZES, {"test": columns}, vectors, eta)


def test_ndcg_and_map_by_hand():
    found = evaluate(bundle(), "test", SCORES)
    assert found.keys() == {"ndcg", "map"}
    # The first list's order is 0, 1, 3, 2 with clicks in places 2 and 3; the padding's
    # 7.0 is nowhere. The second one's click is in place 2 of 2.
    dcg = 1 / np.log2(3) + 1 / np.log2(4)
    best = 1 + 1 / np.log2(3)
    assert found["ndcg"] == pytest.approx([dcg / best, 1 / np.log2(3)])
    assert found["map"] == pytest.approx([(1 / 2 + 2 / 3) / 2, 1 / 2])
    assert all(values.dtype == np.float32 for values in found.values())


def test_utility_by_hand_without_examination():
    # eta = 0: all places are seen, but for what the last click leaves: 0 is like 1 in
    # all (factor 1), like 2 by half, like 3 not at all.
    world = bundle(eta=0.0)
    found = utility(world, "test", np.array([[0, 2, -1], [0, 1, -1]]))
    assert found == pytest.approx(
        [0.5 + 0.8 * (0.5 * 0.5 + 0.5 * 1), 0.5 + 0.4 * (0.5 * 1 + 0.5 * 1)]
    )
    found = utility(world, "test", np.array([[0, 3, -1], [1, -1, -1]]))
    assert found == pytest.approx([0.5 + 0.2 * 0.5, 0.4])


def test_utility_falls_with_the_place():
    world = bundle(eta=1.0)
    found = utility(world, "test", np.array([[0, 2], [1, 0]]))
    assert found == pytest.approx([0.5 + 0.8 / 2 * (0.5 * 0.5 + 0.5), 0.4 + 0.5 / 2])


def test_in_a_world_utility_is_that_of_the_scores_order():
    found = evaluate(bundle(eta=1.0), "test", SCORES)
    order = np.array([[0, 1, 3, 2, -1], [1, 0, -1, -1, -1]])
    expected = utility(bundle(eta=1.0), "test", order)
    assert found["utility"] == pytest.approx(expected)
    assert found["utility"].shape == (2,)


def test_orders_by_hand():
    order = order_of_scores(SCORES, IS_VALID)
    np.testing.assert_array_equal(order, [[0, 1, 3, 2, -1], [1, 0, -1, -1, -1]])
    tied = order_of_scores(np.zeros((2, 5)), IS_VALID)
    np.testing.assert_array_equal(tied, [[0, 1, 2, 3, -1], [0, 1, -1, -1, -1]])
    scores = scores_of_order(np.array([[2, 0, -1]]))
    np.testing.assert_array_equal(scores, [[-1, -np.inf, 0]])


@given(
    st.lists(
        st.tuples(st.permutations(range(5)), st.integers(0, 5)), min_size=1, max_size=6
    )
)
@settings(deadline=None)
def test_orders_and_their_scores_are_inverse(lists):
    """Of the valid candidates, which come first, each list has some order."""
    order = np.array(
        [([i for i in items if i < count] + [-1] * 5)[:5] for items, count in lists]
    )
    is_valid = np.arange(5) < np.array([[count] for _, count in lists])
    scores = scores_of_order(order)
    np.testing.assert_array_equal(order_of_scores(scores, is_valid), order)
    assert (np.isfinite(scores) == is_valid).all()
