"""How well the served order does on the test lists, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from psad_tf import metrics
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from tfx_pipeline.gate.resampling import estimate, resampled_sums
from tfx_pipeline.report.groups import HISTORY_BINS, history_groups, slice_groups

SERVED, INITIAL, MEAN_RATING, RANDOM = "served", "initial", "mean_rating", "random"
HEADLINE = "ndcg_at_10"
MEASURES = {
    f"{name}_at_{k}": partial(measure, k=k)
    for name, measure in {
        "ndcg": metrics.ndcg,
        "map": metrics.average_precision,
        "map_by_relevant": partial(metrics.average_precision, denominator="relevant"),
    }.items()
    for k in (5, 10)
}
DRAWS = 20
RESAMPLES = 10_000
_EACH_END = 0.975  # of an interval of 95 %


class Interval(NamedTuple):
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """One group of lists under every ranker, by one measure.

    Args:
        partition: What the lists are grouped by; "all" for all of them.
        label: The group's name.
        lists: How many lists it has; with none, there are no means and no gains.
        means: Ranker to the mean over the lists.
        gains: Ranker to the mean difference, served minus that ranker, list by list.
    """

    partition: str
    label: str
    lists: int
    means: Mapping[str, Interval]
    gains: Mapping[str, Interval]


@dataclass(frozen=True)
class TestResults:
    """The test lists, ranked and measured.

    Args:
        lists: The lists.
        order: int `[lists, list]`, the served order, -1 past a list's end.
        values: Measure to ranker to `[lists]`, the measure of each list.
        overall: Measure to the comparison over all lists.
        slices: NDCG@10 in each group of each partition of the data set.
        by_history: NDCG@10 by the number of past items.
    """

    lists: Sequence[RankingList]
    order: np.ndarray
    values: Mapping[str, Mapping[str, np.ndarray]]
    overall: Mapping[str, Comparison]
    slices: Sequence[Comparison]
    by_history: Sequence[Comparison]


def measure_lists(
    lists: Sequence[RankingList],
    order: np.ndarray,
    features: FeatureSet,
    resamples: int = RESAMPLES,
) -> TestResults:
    """Measures the served order and what it competes with.

    The rivals: the initial order; the order by each item's mean rating so far, where
    the data set knows it; the expectation of a random order, from `DRAWS` of them.

    Args:
        lists: With labels.
        order: int `[lists, list]`, candidates from the best down, then -1.
        features: The data set's features.
        resamples: Of each bootstrap over lists.

    Raises:
        ValueError: There is no list, or an order is no permutation of its candidates.
    """
    if not lists:
        raise ValueError("no test list to measure; give the data step a longer log")
    _check_order(lists, order)
    values = _values(lists, order, features)
    headline = values[HEADLINE]
    measured = partial(compare, resamples=resamples)
    everything = np.ones(len(lists), bool)
    return TestResults(
        lists,
        order,
        values,
        {m: measured(v, everything, "all", "all lists") for m, v in values.items()},
        [
            measured(headline, chosen, partition.name, label)
            for partition in features.slices
            for label, chosen in slice_groups(lists, features, partition).items()
        ],
        [
            measured(headline, chosen, HISTORY_BINS.name, label)
            for label, chosen in history_groups(lists).items()
        ],
    )


def _check_order(lists: Sequence[RankingList], order: np.ndarray) -> None:
    for row, ranking_list in zip(order, lists, strict=True):
        length = len(ranking_list.candidates)
        if sorted(row[:length]) != list(range(length)) or (row[length:] != -1).any():
            raise ValueError(
                f"list {ranking_list.request_id!r}: order={row.tolist()} is no "
                f"permutation of its {length} candidates followed by -1; the model's "
                "signature is broken"
            )


def _values(lists, order: np.ndarray, features: FeatureSet) -> dict[str, dict]:
    """Measure to ranker to the value of each list."""
    width = order.shape[1]
    labels = _padded([x.labels for x in lists], width)
    is_valid = np.arange(width) < [[len(x.candidates)] for x in lists]
    initial = np.broadcast_to(-np.arange(width, dtype=float), labels.shape)
    scores = {
        SERVED: [metrics.order_scores(order, width)],
        INITIAL: [initial],
        RANDOM: np.random.default_rng(0).random((DRAWS, *labels.shape)),
    }
    if any(f.name == MEAN_RATING for f in features.of_candidates()):
        rated = [[c[MEAN_RATING] for c in x.candidates] for x in lists]
        scores[MEAN_RATING] = [_padded(rated, width)]
    return {
        name: {
            ranker: np.mean([measure(labels, s, is_valid) for s in draws], axis=0)
            for ranker, draws in scores.items()
        }
        for name, measure in MEASURES.items()
    }


def _padded(rows: Sequence[Sequence[float]], width: int) -> np.ndarray:
    return np.array([[*row, *[0.0] * (width - len(row))] for row in rows])


def compare(
    values: Mapping[str, np.ndarray],
    chosen: np.ndarray,
    partition: str,
    label: str,
    resamples: int,
) -> Comparison:
    """The rankers in one group of lists.

    Args:
        values: Ranker to `[lists]`, a measure of each list.
        chosen: bool `[lists]`, true for the group's.
        partition: What the lists are grouped by.
        label: The group's name.
        resamples: Of each bootstrap over lists.
    """
    of_group = {ranker: of_lists[chosen] for ranker, of_lists in values.items()}
    gains = {r: of_group[SERVED] - v for r, v in of_group.items() if r != SERVED}
    count = int(chosen.sum())
    if not count:
        return Comparison(partition, label, count, {}, {})
    found = _intervals([*of_group.values(), *gains.values()], resamples)
    means = dict(zip(of_group, found, strict=False))
    gains = dict(zip(gains, found[len(means) :], strict=True))
    return Comparison(partition, label, count, means, gains)


def _intervals(columns: Sequence[np.ndarray], resamples: int) -> list[Interval]:
    """The mean of each column of `[lists]` values, with its interval over lists."""
    table = np.column_stack(columns)
    resampled = resampled_sums(table, resamples) / len(table)
    figures = zip(table.mean(axis=0), resampled.T, strict=True)
    return [Interval(*estimate(mean, drawn, _EACH_END)) for mean, drawn in figures]
