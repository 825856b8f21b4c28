"""MMR next to a plain loop, by hand, and at its two ends."""

import numpy as np
import pytest

from psad_tf import metrics
from psad_tf.baselines.mmr import (
    TRADE_OFFS,
    category_similarity,
    mmr_order,
    scaled,
    tune,
)

COUNTS = np.array([7, 5, 1, 0, 7, 3])


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit @ unit.swapaxes(1, 2)


@pytest.fixture
def lists():
    """Relevance, similarity and `is_valid`; numbers in the padding are the largest."""
    random = np.random.default_rng(0)
    is_valid = np.arange(7) < COUNTS[:, None]
    relevance = np.where(is_valid, random.random((6, 7)), 9.0)
    similarity = cosines(random.normal(size=(6, 7, 3)))
    return relevance, similarity, is_valid


def plain(relevance, similarity, count, trade_off):
    """One list's order, as the formula is read aloud."""
    order, left = [], list(range(count))
    while left:
        best, item = -np.inf, None
        for i in left:
            worth = trade_off * relevance[i]
            if order:
                worth -= (1 - trade_off) * max(similarity[i, k] for k in order)
            if worth > best:
                best, item = worth, i
        order.append(item)
        left.remove(item)
    return order + [-1] * (len(relevance) - count)


@pytest.mark.parametrize("trade_off", [0.0, 0.3, 0.7, 1.0])
def test_it_is_the_plain_loop(lists, trade_off):
    relevance, similarity, is_valid = lists
    expected = [
        plain(*each, trade_off) for each in zip(relevance, similarity, COUNTS, strict=1)
    ]
    np.testing.assert_array_equal(mmr_order(*lists, trade_off), expected)


def test_all_relevance_is_the_order_by_relevance(lists):
    relevance, _, is_valid = lists
    for row, order in enumerate(mmr_order(*lists, 1.0)):
        count = COUNTS[row]
        expected = np.argsort(-relevance[row, :count])
        np.testing.assert_array_equal(order[:count], expected)


def test_ties_keep_the_initial_order():
    order = mmr_order(np.ones((1, 4)), np.ones((1, 4, 4)), np.ones((1, 4), bool), 0.5)
    np.testing.assert_array_equal(order, [[0, 1, 2, 3]])


def test_the_opposite_of_what_was_chosen_is_welcome():
    # 0.5 * 0.2 + 0.5 * 1 for the third one, 0.5 * 0.9 - 0 for the second one.
    vectors = np.array([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    order = mmr_order([[1.0, 0.9, 0.2]], cosines(vectors), [[True] * 3], 0.5)
    np.testing.assert_array_equal(order, [[0, 2, 1]])


def test_what_stands_in_the_padding_changes_nothing(lists):
    relevance, similarity, is_valid = lists
    both = is_valid[:, None] & is_valid[:, :, None]
    other = np.where(is_valid, relevance, np.nan), np.where(both, similarity, np.nan)
    np.testing.assert_array_equal(
        mmr_order(*other, is_valid, 0.4), mmr_order(*lists, 0.4)
    )


def test_tune_finds_the_best_of_the_grid(lists):
    relevance, similarity, is_valid = lists
    # What MMR with 0.4 puts first is clicked: only 0.4 can have it all at the top.
    order = mmr_order(*lists, 0.4)
    label = np.zeros_like(relevance)
    for row in np.flatnonzero(COUNTS >= 3):
        label[row, order[row, :2]] = 1
    best, found = tune(*lists, label, (0.1, 0.4, 1.0))
    assert best == 0.4
    assert found[0.4] == pytest.approx((COUNTS >= 3).mean())
    by_relevance = metrics.ndcg(label, relevance, is_valid, 10).mean()
    assert found[1.0] == pytest.approx(by_relevance)


def test_tune_prefers_relevance_where_nothing_differs():
    ones = np.ones((1, 3), bool)
    best, found = tune(np.ones((1, 3)), np.zeros((1, 3, 3)), ones, [[1.0, 0.0, 0.0]])
    assert best == max(TRADE_OFFS) == 1.0
    assert sorted(found) == sorted(TRADE_OFFS)


def test_scaled_goes_from_0_to_1_in_each_list():
    relevance = [[4.0, 2.0, 3.0, 99.0], [5.0, 5.0, -1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]
    is_valid = np.arange(4) < np.array([[3], [2], [0]])
    expected = [[1.0, 0.0, 0.5, 0.0], [0.0] * 4, [0.0] * 4]
    np.testing.assert_allclose(scaled(relevance, is_valid), expected)


def test_categories_are_sets():
    ids = np.array([[[1, 2, 0], [2, 3, 2], [0, 0, 0], [1, 2, 3]]])
    expected = [
        [1, 1 / 3, 0, 2 / 3],
        [1 / 3, 1, 0, 2 / 3],
        [0, 0, 0, 0],
        [2 / 3, 2 / 3, 0, 1],
    ]
    np.testing.assert_allclose(category_similarity(ids)[0], expected)


def test_bad_input_is_refused(lists):
    relevance, similarity, is_valid = lists
    with pytest.raises(ValueError, match="trade_off=1.5"):
        mmr_order(relevance, similarity, is_valid, 1.5)
    with pytest.raises(ValueError, match=r"similarity \(6, 7\)"):
        mmr_order(relevance, relevance, is_valid, 0.5)
    with pytest.raises(ValueError, match="list 1 has a NaN in relevance"):
        changed = relevance.copy()
        changed[1, 0] = np.nan
        mmr_order(changed, similarity, is_valid, 0.5)
    with pytest.raises(ValueError, match="grid"):
        tune(relevance, similarity, is_valid, relevance, ())
