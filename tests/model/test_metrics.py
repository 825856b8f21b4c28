"""Metrics against loops over single lists and worked examples."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psad_tf import metrics

VALUES = st.sampled_from([0.0, 1.0, 2.0])  # Few scores, so that ties are common.
LIST = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), VALUES), min_size=1, max_size=7)


def padded(items, padding):
    """One list with its padding, whose scores would win if they counted."""
    labels = np.array([[label for label, _ in items] + [1.0] * padding])
    scores = np.array([[score for _, score in items] + [9.0] * padding])
    return labels, scores, np.arange(labels.shape[1])[None] < len(items)


def ranked(items):
    """Labels in predicted order; Python's sort keeps the input order on ties."""
    return [label for label, _ in sorted(items, key=lambda item: -item[1])]


def loop_dcg(labels, k):
    return sum((2**y - 1) / np.log2(i + 1) for i, y in enumerate(labels[:k], start=1))


def loop_ap(labels, k, denominator):
    hits, total = 0, 0.0
    for i, y in enumerate(labels[:k], start=1):
        if y:
            hits += 1
            total += hits / i
    count = hits if denominator == "hits" else min(k, int(sum(labels)))
    return total / count if count else 0.0


@given(LIST, st.integers(0, 4), st.integers(1, 9))
def test_ndcg_matches_a_loop(items, padding, k):
    labels = ranked(items)
    best = loop_dcg(sorted(labels, reverse=True), k)
    expected = loop_dcg(labels, k) / best if best else 0.0
    np.testing.assert_allclose(metrics.ndcg(*padded(items, padding), k), [expected])


@given(
    LIST, st.integers(0, 4), st.integers(1, 9), st.sampled_from(["hits", "relevant"])
)
def test_average_precision_matches_a_loop(items, padding, k, denominator):
    found = metrics.average_precision(*padded(items, padding), k, denominator)
    np.testing.assert_allclose(found, [loop_ap(ranked(items), k, denominator)])


def test_worked_examples_in_docstrings():
    assert doctest.testmod(metrics).failed == 0


def test_graded_labels_gain_two_to_the_label():
    found = metrics.ndcg([[1, 3]], [[2, 1]], [[True, True]], k=2)
    expected = (1 + 7 / np.log2(3)) / (7 + 1 / np.log2(3))
    np.testing.assert_allclose(found, [expected])


def test_lists_are_on_their_own():
    labels = np.array([[1, 0], [0, 1], [0, 0]])
    scores = np.tile([2.0, 1.0], (3, 1))
    found = metrics.ndcg(labels, scores, np.ones((3, 2), bool), k=2)
    np.testing.assert_allclose(found, [1, 1 / np.log2(3), 0])


def test_infinite_scores_stay_behind_real_ones_and_before_padding():
    found = metrics.rank_labels(
        [[1, 2, 3, 9]], [[-np.inf, 0, np.inf, 5]], [[True, True, True, False]]
    )
    np.testing.assert_array_equal(found, [[3, 2, 1, 0]])


def test_order_scores_give_the_order_back():
    order = np.array([[2, 0, 1, -1], [0, -1, -1, -1]])
    scores = metrics.order_scores(order, 4)
    np.testing.assert_array_equal(np.argsort(-scores[0])[:3], [2, 0, 1])
    np.testing.assert_array_equal(scores[1], [4, 0, 0, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.ndcg([[1]], [[1, 2]], [[True]], 1), "must have one shape"),
        (lambda: metrics.ndcg([1], [1], [True], 1), "must have one shape"),
        (
            lambda: metrics.ndcg([[1]], [[np.nan]], [[True]], 1),
            "list 0 has a NaN score",
        ),
        (lambda: metrics.ndcg([[1]], [[1]], [[True]], 0), "k=0; it must be at least 1"),
        (
            lambda: metrics.average_precision([[1]], [[1]], [[True]], 1, "clicks"),
            "denominator='clicks'; choose one of",
        ),
        (lambda: metrics.paired_bootstrap([]), r"shape \(0,\); give one value a list"),
        (lambda: metrics.paired_bootstrap([1.0], level=95), "level=95"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_nan_on_padding_does_not_matter():
    found = metrics.ndcg([[1, 0]], [[1, np.nan]], [[True, False]], 2)
    np.testing.assert_array_equal(found, [1])


def test_bootstrap_interval_is_that_of_the_mean():
    """For many normal differences: mean ± 1.96 standard errors, to sampling error."""
    random = np.random.default_rng(0)
    differences = random.normal(0.1, 1.0, 2000)
    mean, low, high = metrics.paired_bootstrap(differences, resamples=4000, seed=1)
    error = differences.std() / np.sqrt(2000)
    np.testing.assert_allclose(mean, differences.mean())
    np.testing.assert_allclose(
        [low, high], mean + 1.96 * error * np.array([-1, 1]), atol=0.003
    )
    assert metrics.paired_bootstrap(differences, 50, 3) == metrics.paired_bootstrap(
        differences, 50, 3
    )
