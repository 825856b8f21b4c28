"""PIER's candidate orders, past pages and signatures, on numbers one can count."""

from itertools import permutations

import numpy as np
import pytest
from backend_tools import compiled
from keras import ops

from psad_tf.baselines.pier_selection import (
    PermutationSelection,
    all_orders,
    beam_orders,
    candidate_orders,
    page_weights,
    past_pages,
    position_codes,
)


def lists(*counts, length):
    return ops.convert_to_tensor(np.arange(length) < np.array(counts)[:, None])


def real(order, is_real, row):
    """The orders that a list has, as tuples without what is past its end."""
    found = np.array(order)[row][np.array(is_real)[row]]
    return [tuple(item for item in way if item >= 0) for way in found.tolist()]


@pytest.mark.parametrize("slate", [2, 3, 4])
def test_all_orders_are_there_once(slate):
    counts = (4, 3, 2, 1, 0)
    order, is_real = all_orders(lists(*counts, length=4), slate)
    for row, count in enumerate(counts):
        expected = sorted(permutations(range(count), min(slate, count)))
        assert sorted(real(order, is_real, row)) == expected


def test_the_beam_has_the_likeliest_orders_first():
    scores = np.log(np.array([[5.0, 1.0, 3.0, 2.0]] * 3, "float32"))
    order, is_real = beam_orders(scores, lists(4, 3, 1, length=4), 2, 12)
    for row, count in enumerate((4, 3, 1)):
        share = np.exp(scores[row, :count])

        def likely(way, share=share):
            left, p = share.sum(), 1.0
            for item in way:
                p, left = p * share[item] / left, left - share[item]
            return p

        every = permutations(range(count), min(2, count))
        expected = sorted(every, key=likely, reverse=True)
        assert real(order, is_real, row) == expected


def test_short_lists_have_all_orders_and_long_ones_a_beam():
    for length, expected in ((5, 60), (6, 120), (7, 9)):
        scores = np.zeros((1, length), "float32")
        order, _ = candidate_orders(scores, lists(length, length=length), 3, 9)
        assert order.shape == (1, expected, 3)


def test_pages_are_cut_from_the_newest_item_on():
    past = np.arange(1, 8, dtype="float32") * np.ones((4, 1), "float32")
    pages, is_past = past_pages(past[..., None], lists(7, 4, 2, 0, length=7), 3)
    assert pages.shape == (4, 3, 3, 1)

    def cut(row):
        pairs = zip(np.array(pages)[row, ..., 0], np.array(is_past)[row], strict=True)
        return [page[there].tolist() for page, there in pairs]

    assert cut(0) == [[5, 6, 7], [2, 3, 4], [1]]
    assert cut(1) == [[2, 3, 4], [1], []]
    assert cut(2) == [[1, 2], [], []]
    assert cut(3) == [[], [], []]
    # A short page begins at its first place, as an order does.
    assert np.array(is_past)[0, 2].tolist() == [True, False, False]


def test_codes_and_weights_by_hand():
    code = position_codes(2, 4)
    angles = [[1, 1, 0.01, 0.01], [2, 2, 0.02, 0.02]]
    expected = [
        [np.sin(a[0]), np.cos(a[1]), np.sin(a[2]), np.cos(a[3])] for a in angles
    ]
    np.testing.assert_allclose(code, expected, rtol=1e-6)
    np.testing.assert_allclose(page_weights(5), [1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 4])


@pytest.fixture(scope="module")
def selection():
    layer = PermutationSelection(keep=3, bits=16)
    layer.build((None, None, 4))
    return layer


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(7)
    items = random.normal(size=(2, 5, 4)).astype("float32")
    pages = random.normal(size=(2, 3, 3, 4)).astype("float32")
    is_past = np.array(
        [[[True] * 3, [True] * 3, [True, False, False]], [[False] * 3] * 3]
    )
    order, is_real = all_orders(lists(5, 2, length=5), 3)
    return items, order, is_real, pages, ops.convert_to_tensor(is_past)


def test_distances_are_the_weighted_unlike_bits(selection, world):
    items, order, is_real, pages, is_past = world
    projections = ops.convert_to_numpy(selection.projections)
    code = position_codes(3, 4)

    def bits(vectors):
        v = sum(code[t] * x for t, x in enumerate(vectors)) / len(vectors)
        return v @ projections > 0

    found = np.array(selection.distance(items, order, pages, is_past))
    for way in range(0, 60, 7):
        mine = bits([items[0, i] for i in np.array(order)[0, way]])
        expected = sum(
            weight * np.sum(mine != bits(pages[0, p][np.array(is_past)[0, p]]))
            for p, weight in enumerate([1 / 2, 1 / 2, 1 / 3])
        )
        np.testing.assert_allclose(found[0, way], expected, rtol=1e-5)
    assert not found[1].any()  # There is no past to be far from.


def test_projections_have_both_signs_and_are_not_trained(selection):
    values = ops.convert_to_numpy(selection.projections)
    assert 0.25 < (values > 0).mean() < 0.75
    assert selection.trainable_weights == []
    selection.trainable = True
    assert selection.trainable_weights == []


def test_the_order_of_the_same_items_changes_the_signature(selection):
    items = np.random.default_rng(1).normal(size=(1, 1, 3, 4)).astype("float32")
    there = np.ones((1, 1, 3), bool)
    found = (
        selection.signature(items, there),
        selection.signature(items[:, :, ::-1], there),
    )
    assert set(np.unique(found)) == {-1.0, 1.0}
    assert np.any(np.array(found[0]) != np.array(found[1]))


def test_the_nearest_and_the_farthest_are_found(selection, world):
    items, order, is_real, pages, is_past = world
    (near, is_near), (far, is_far) = selection(items, order, is_real, pages, is_past)
    distance = np.array(selection.distance(items, order, pages, is_past))[0]
    ways = [tuple(way) for way in np.array(order)[0].tolist()]
    of = dict(zip(ways, distance, strict=True))
    ranked = np.sort(distance)
    found = [of[tuple(way)] for way in np.array(near)[0].tolist()]
    np.testing.assert_allclose(found, ranked[:3], rtol=1e-6)
    found = [of[tuple(way)] for way in np.array(far)[0].tolist()]
    np.testing.assert_allclose(found, ranked[:-4:-1], rtol=1e-6)
    # Of two items there are two orders, and that is what is kept.
    for kept, is_kept in ((near, is_near), (far, is_far)):
        assert sorted(real(kept, is_kept, 1)) == [(0, 1), (1, 0)]


def test_it_compiles_for_any_number_of_lists(selection, world):
    items, _, _, pages, is_past = (ops.convert_to_tensor(x) for x in world)
    scores = ops.convert_to_tensor(np.array([[3.0, 1, 2, 5, 4]] * 2, "float32"))
    is_valid = lists(5, 2, length=5)

    def select(scores, is_valid, items, pages, is_past):
        order = beam_orders(scores, is_valid, 3, 8)
        return selection(items, *order, pages, is_past)[0][0]

    arguments = scores, is_valid, items, pages, is_past
    found = compiled(select, *arguments)(*arguments)
    np.testing.assert_array_equal(found, select(*arguments))


def test_its_configuration_travels(selection):
    again = PermutationSelection.from_config(selection.get_config())
    assert (again.keep, again.bits) == (3, 16)
