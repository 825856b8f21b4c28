"""Ranking metrics of single lists, in NumPy; average them over all lists.

Every list counts with its true length: padding is taken out before anything else. Ties
keep the input order. A list without a click has the value 0.
"""

import numpy as np

DENOMINATORS = ("hits", "relevant")
_DRAWS_AT_ONCE = 1_000_000


def rank_labels(labels, scores, is_valid):
    """The labels from the best score down, padding last.

    >>> rank_labels([[0., 1., 1., 9.]], [[.1, .3, .3, 9.]], [[True, True, True, False]])
    array([[1., 1., 0., 0.]])

    Args:
        labels: `[lists, list]`.
        scores: `[lists, list]`, higher is better; ties keep the input order.
        is_valid: bool `[lists, list]`, false for padding, whose label becomes 0.

    Raises:
        ValueError: The shapes differ, or a score that counts is NaN.
    """
    labels, scores, is_valid = _checked(labels, scores, is_valid)
    # Two keys: whatever the scores are, even infinite, padding comes last.
    order = np.lexsort((-np.where(is_valid, scores, 0), ~is_valid), axis=1)
    return np.take_along_axis(np.where(is_valid, labels, 0), order, axis=1)


def ndcg(labels, scores, is_valid, k):
    """Normalised discounted cumulative gain of each list's first k items.

        DCG = sum over i <= k of (2^label - 1) / log2(i + 1);  NDCG = DCG / best DCG

    The one click in second place: (1 / log2 3) / (1 / log2 2).

    >>> ndcg([[0., 1., 0.]], [[.3, .2, .1]], [[True, True, True]], k=3).round(4)
    array([0.6309])

    Args:
        labels: `[lists, list]`, 0 or more.
        scores: `[lists, list]`.
        is_valid: bool `[lists, list]`.
        k: Items that count; all of them where a list is shorter.

    Returns:
        float64 `[lists]`.
    """
    found = _dcg(rank_labels(labels, scores, is_valid), k)
    best = _dcg(rank_labels(labels, labels, is_valid), k)
    return np.divide(found, best, out=np.zeros_like(found), where=best > 0)


def average_precision(labels, scores, is_valid, k, denominator="hits"):
    """Average precision of each list's first k items.

        AP = (sum over clicks at i <= k of (clicks up to i) / i) / denominator

    Clicks in first and third place out of three: (1/1 + 2/3) / 2 over the 2 hits. With
    k = 1 there is 1 hit, and of 3 clicks only 1 could have been one.

    >>> clicks, scores = [[1., 0., 1., 1.]], [[.9, .8, .7, .6]]
    >>> average_precision(clicks, scores, np.ones((1, 4), bool), k=3).round(4)
    array([0.8333])
    >>> average_precision(clicks, scores, np.ones((1, 4), bool), k=3,
    ...                   denominator="relevant").round(4)
    array([0.5556])

    Args:
        labels: `[lists, list]`, above 0 for a click.
        scores: `[lists, list]`.
        is_valid: bool `[lists, list]`.
        k: Items that count.
        denominator: `hits`, the clicks among the first k; or `relevant`, as many clicks
            as could be there: the list's clicks, at most k.

    Returns:
        float64 `[lists]`.
    """
    if denominator not in DENOMINATORS:
        raise ValueError(f"denominator={denominator!r}; choose one of {DENOMINATORS}")
    _check_k(k)
    is_click = rank_labels(labels, scores, is_valid) > 0
    top = is_click[:, :k]
    precision = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    total = np.sum(precision * top, axis=1)
    hits = top.sum(axis=1)
    count = hits if denominator == "hits" else np.minimum(is_click.sum(axis=1), k)
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def order_scores(order, list_length):
    """Scores that rank a list as an order says; items not in it have 0.

    >>> order_scores([[2, 0, -1]], 3)
    array([[2., 0., 3.]])

    Args:
        order: int `[lists, places]`, candidates from the best down, -1 for none.
        list_length: Candidates of a list.

    Returns:
        float64 `[lists, list_length]`.
    """
    order = np.asarray(order)
    rows, places = np.nonzero(order >= 0)
    scores = np.zeros((len(order), list_length))
    scores[rows, order[rows, places]] = list_length - places
    return scores


def paired_bootstrap(differences, resamples=10_000, seed=0, level=0.95):
    """The mean of paired differences and its percentile bootstrap interval.

    >>> paired_bootstrap([0.5, 0.5, 0.5])
    (0.5, 0.5, 0.5)

    Args:
        differences: `[lists]`, one system's metric minus another's on the same list.
        resamples: Samples drawn with replacement.
        seed: Of the draws.
        level: The interval's share of the resampled means.

    Returns:
        The mean, the interval's low end and its high end.
    """
    differences = np.asarray(differences, dtype=np.float64)
    if differences.ndim != 1 or not len(differences):
        raise ValueError(
            f"differences have shape {differences.shape}; give one value a list"
        )
    if not 0 < level < 1:
        raise ValueError(f"level={level}; it must lie between 0 and 1")
    means = [
        differences[drawn].mean(axis=1)
        for drawn in bootstrap_draws(len(differences), resamples, seed)
    ]
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(np.concatenate(means), ends)
    return float(differences.mean()), float(low), float(high)


def bootstrap_draws(size, resamples, seed):
    """Draws lists with replacement, as many as there are, for each resample.

    Args:
        size: How many lists there are.
        resamples: How often they are drawn.
        seed: Of the draws.

    Yields:
        int `[some resamples, size]`, indices of lists; all together `resamples` rows.
    """
    random = np.random.default_rng(seed)
    # Some at a time: all draws at once would take resamples x lists of memory.
    at_once = max(1, _DRAWS_AT_ONCE // size)
    for rows in np.diff([*range(0, resamples, at_once), resamples]):
        yield random.integers(size, size=(rows, size))


def _dcg(ranked, k):
    _check_k(k)
    top = ranked[:, :k]
    return np.sum((2.0**top - 1) / np.log2(np.arange(top.shape[1]) + 2), axis=1)


def _check_k(k):
    if k < 1:
        raise ValueError(f"k={k}; it must be at least 1")


def _checked(labels, scores, is_valid):
    labels = np.asarray(labels, dtype=np.float64)
    scores = np.asarray(scores, dtype=np.float64)
    is_valid = np.asarray(is_valid, dtype=bool)
    if not labels.shape == scores.shape == is_valid.shape or labels.ndim != 2:
        raise ValueError(
            f"labels {labels.shape}, scores {scores.shape} and is_valid "
            f"{is_valid.shape} must have one shape [lists, list]"
        )
    if np.isnan(scores[is_valid]).any():
        row = int(np.argmax(np.any(np.isnan(scores) & is_valid, axis=1)))
        raise ValueError(f"list {row} has a NaN score; such a list has no order")
    return labels, scores, is_valid
