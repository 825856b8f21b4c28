"""The click model against hand-worked numbers and the sum over every outcome."""

import itertools

import numpy as np
import pytest

from psad_tf.data.click_world.clicks import (
    click_probabilities,
    likeness,
    sample,
    utility,
    utility_of_order,
)

EAST, NORTH = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def made_up_lists(lists=4, length=5, dim=3, seed=0):
    random = np.random.default_rng(seed)
    relevance = random.uniform(0.05, 0.95, (lists, length))
    vectors = random.normal(size=(lists, length, dim))
    vectors *= 2 / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return relevance, vectors, np.ones((lists, length), bool)


def examination(place, previous, vector, eta):
    """e_k as it is printed."""
    if previous is None:
        return place**-eta
    lengths = np.linalg.norm(previous) + np.linalg.norm(vector)
    return place**-eta * (0.5 + 0.5 * previous @ vector / lengths)


def by_enumeration(relevance, vectors, eta):
    """The probability of a click on each item, summed over all 2^n outcomes."""
    total = np.zeros(len(relevance))
    for outcome in itertools.product([False, True], repeat=len(relevance)):
        probability, previous = 1.0, None
        for k, clicked in enumerate(outcome):
            click = relevance[k] * examination(k + 1, previous, vectors[k], eta)
            probability *= click if clicked else 1 - click
            previous = vectors[k] if clicked else previous
        total += probability * np.array(outcome)
    return total


def test_likeness_by_hand():
    vectors = np.array([EAST, NORTH, 3 * EAST, -EAST, 0 * EAST])
    # East with itself: 0.5 + 0.5 * 1 / 2; with three times itself: 0.5 + 0.5 * 3 / 4.
    assert likeness(vectors)[0].tolist() == [0.75, 0.5, 0.875, 0.25, 0.5]
    assert likeness(vectors)[4, 4] == 0.5
    longest = 2 * np.array([EAST, -EAST, EAST])
    assert likeness(longest)[0].tolist() == [1.0, 0.0, 1.0]


def test_two_items_by_hand():
    relevance, vectors = np.array([0.8, 0.6]), np.array([EAST, EAST])
    found = click_probabilities(relevance, vectors, np.ones(2, bool), eta=1.0)
    # Second: examined with 1/2; after a click on the first only three in four times.
    assert found == pytest.approx([0.8, 0.8 * 0.6 * 0.5 * 0.75 + 0.2 * 0.6 * 0.5])
    assert utility(relevance, vectors, np.ones(2, bool)) == pytest.approx(sum(found))


@pytest.mark.parametrize("eta", [0.0, 0.7, 1.5])
def test_probabilities_are_the_sum_over_all_outcomes(eta):
    relevance, vectors, is_valid = made_up_lists()
    found = click_probabilities(relevance, vectors, is_valid, eta)
    for row in range(len(relevance)):
        expected = by_enumeration(relevance[row], vectors[row], eta)
        np.testing.assert_allclose(found[row], expected, rtol=1e-12)


def test_drawn_clicks_come_as_often_as_they_should():
    relevance, vectors, is_valid = made_up_lists(1)
    draws = 100_000
    copies = [np.repeat(x, draws, axis=0) for x in (relevance, vectors, is_valid)]
    clicks = sample(*copies, 0.7, np.random.default_rng(1))
    expected = click_probabilities(relevance, vectors, is_valid, 0.7)[0]
    deviation = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(clicks.mean(axis=0) - expected) < 4 * deviation).all()


def test_drawn_clicks_hang_together_as_they_should():
    """Not each place alone: how often a click follows on a click."""
    relevance, vectors = np.array([0.5, 0.5]), 2 * np.array([EAST, -EAST])
    copies = np.tile(relevance, (5000, 1)), np.tile(vectors, (5000, 1, 1))
    is_valid = np.ones((5000, 2), bool)
    clicks = sample(*copies, is_valid, 0.0, np.random.default_rng(2))
    assert not (clicks[:, 0] & clicks[:, 1]).any()  # opposites: never both
    assert (~clicks[:, 0] & clicks[:, 1]).mean() == pytest.approx(0.25, abs=0.03)


def test_padding_is_never_clicked_and_changes_nothing():
    relevance, vectors, is_valid = made_up_lists()
    wider = np.pad(relevance, ((0, 0), (0, 2)), constant_values=0.9)
    more = np.pad(vectors, ((0, 0), (0, 2), (0, 0)), constant_values=5.0)
    padded = np.pad(is_valid, ((0, 0), (0, 2)))
    found = click_probabilities(wider, more, padded, 1.0)
    plain = click_probabilities(relevance, vectors, is_valid, 1.0)
    np.testing.assert_array_equal(found[:, :5], plain)
    assert (found[:, 5:] == 0).all()
    clicks = sample(wider, more, padded, 1.0, np.random.default_rng(0))
    assert not clicks[:, 5:].any()


def test_worth_of_an_order_is_that_of_the_list_so_ordered():
    relevance, vectors, is_valid = made_up_lists(2)
    order = np.array([[4, 2, 0, 1, 3], [1, 0, 3, 4, 2]])
    found = utility_of_order(relevance, vectors, is_valid, 0.7, order)
    for row, places in enumerate(order):
        expected = by_enumeration(relevance[row][places], vectors[row][places], 0.7)
        assert found[row] == pytest.approx(expected.sum())


def test_a_slate_is_worth_what_is_shown():
    relevance, vectors, is_valid = made_up_lists(1)
    slate = utility_of_order(relevance, vectors, is_valid, 1.0, np.array([[3, 1]]))
    ended = np.array([[3, 1, -1, -1, -1]])
    assert utility_of_order(relevance, vectors, is_valid, 1.0, ended) == slate
    expected = by_enumeration(relevance[0][[3, 1]], vectors[0][[3, 1]], 1.0)
    assert slate[0] == pytest.approx(expected.sum())


def test_any_leading_axes():
    relevance, vectors, is_valid = made_up_lists(6)
    flat = utility(relevance, vectors, is_valid)
    shape = 2, 3
    nested = utility(
        relevance.reshape(*shape, 5),
        vectors.reshape(*shape, 5, 3),
        is_valid.reshape(*shape, 5),
    )
    np.testing.assert_array_equal(nested, flat.reshape(shape))
