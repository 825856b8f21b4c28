"""The best order: against all permutations, one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_click_model import EAST, NORTH, by_enumeration, made_up_lists

from psad_tf.data.click_world import orders as orders_module
from psad_tf.data.click_world.clicks import utility, utility_of_order
from psad_tf.data.click_world.orders import beam_order, best_order
from psad_tf.data.errors import DataError


def test_the_best_of_all_permutations():
    relevance, vectors, is_valid = made_up_lists(6, 4)
    order, worth = best_order(relevance, vectors, is_valid, 0.7)
    for row in range(len(relevance)):
        values = {
            places: by_enumeration(
                relevance[row][list(places)], vectors[row][list(places)], 0.7
            ).sum()
            for places in itertools.permutations(range(4))
        }
        assert worth[row] == pytest.approx(max(values.values()))
        assert values[tuple(order[row])] == pytest.approx(worth[row])


def test_neighbours_can_beat_relevance():
    """By relevance the odd one out comes first and spoils the two that are alike."""
    relevance = np.array([[0.62, 0.6, 0.6]])
    vectors = 2 * np.array([[NORTH, EAST, EAST]])
    lists = relevance, vectors, np.ones((1, 3), bool)
    order, worth = best_order(*lists, 0.3)
    assert order[0].tolist() == [1, 2, 0]
    assert worth[0] > utility(*lists, 0.3)[0] + 0.05


def test_chunks_leave_no_trace(monkeypatch):
    lists = made_up_lists(7)
    whole = best_order(*lists, 1.0), beam_order(*lists, 1.0, 4)
    monkeypatch.setattr(orders_module, "_CHUNK", 1)
    again = best_order(*lists, 1.0), beam_order(*lists, 1.0, 4)
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_no_list_gives_no_order():
    lists = made_up_lists(0)
    for search in (best_order, beam_order):
        order, worth = search(*lists)
        assert order.shape == (0, 5) and worth.shape == (0,)


def test_too_long_a_list_is_refused_with_the_remedy():
    with pytest.raises(DataError, match="7 items.*at most 6 items, or use beam_order"):
        best_order(*made_up_lists(1, 7))


@pytest.mark.parametrize("search", [best_order, beam_order])
def test_padding_comes_last_wherever_it_stood(search):
    relevance, vectors, is_valid = made_up_lists(4)
    is_valid[0, 0] = is_valid[1, 2] = is_valid[2, :4] = False
    relevance[~is_valid] = 0.99
    order, worth = search(relevance, vectors, is_valid, 1.0)
    shown = np.take_along_axis(is_valid, order, axis=1)
    assert (np.sort(order, axis=1) == np.arange(5)).all()
    assert (shown[:, :-1] >= shown[:, 1:]).all()
    again = utility_of_order(relevance, vectors, is_valid, 1.0, order)
    np.testing.assert_allclose(worth, again, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 2), st.integers(1, 6))
def test_beam_search_stays_between_relevance_and_the_best(seed, eta, length):
    lists = made_up_lists(3, length, seed=seed)
    _, best = best_order(*lists, eta)
    order, found = beam_order(*lists, eta, width=3)
    by_relevance = np.argsort(-lists[0], axis=1)
    assert (found >= utility_of_order(*lists, eta, by_relevance) - 1e-12).all()
    assert (found <= best + 1e-12).all()
    assert (np.sort(order, axis=1) == np.arange(length)).all()
    np.testing.assert_allclose(utility_of_order(*lists, eta, order), found, rtol=1e-12)


def test_a_wide_beam_finds_the_best():
    lists = made_up_lists(5, 4)
    _, best = best_order(*lists, 0.5)
    np.testing.assert_allclose(beam_order(*lists, 0.5, width=64)[1], best, rtol=1e-12)
