"""Kendall's tau, by hand and pair by pair."""

from itertools import combinations

import numpy as np
import pytest

from psad_tf.rank_correlation import kendall

FOUR = [[4.0, 3.0, 2.0, 1.0]]
EVERYWHERE = np.ones((1, 4), bool)


@pytest.mark.parametrize(
    "other, tau",
    [
        ([8, 6, 4, 2], 1.0),  # another scale
        ([1, 2, 3, 4], -1.0),
        ([3, 4, 2, 1], 4 / 6),  # one of six pairs turned round
        ([1, 1, 1, 1], 0.0),  # ties count for neither side
        ([2, 2, 1, 1], 4 / 6),
    ],
)
def test_by_hand(other, tau):
    assert kendall(FOUR, [other], EVERYWHERE) == pytest.approx([tau])


def test_padding_counts_for_nothing_whatever_stands_there():
    is_valid = np.array([[True, True, True, False]])
    other = [[3.0, 2.0, 1.0, np.inf]]
    padded = [[3.0, 2.0, 1.0, np.inf]]
    assert kendall(padded, other, is_valid) == pytest.approx([1.0])


def test_a_list_without_a_pair_is_in_agreement():
    is_valid = np.array([[True, False, False, False]])
    assert kendall(FOUR, FOUR, is_valid) == pytest.approx([1.0])


def test_pair_by_pair():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 30, 9))
    is_valid = np.arange(9) < random.integers(2, 10, size=(30, 1))
    expected = []
    for a, b, valid in zip(first, second, is_valid, strict=True):
        pairs = list(combinations(np.flatnonzero(valid), 2))
        alike = sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i, j in pairs)
        expected.append((2 * alike - len(pairs)) / len(pairs))
    assert kendall(first, second, is_valid) == pytest.approx(expected)
