"""The rules of a page as arrays over one list's candidates."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.baselines.mmr import category_similarity
from psad_tf.features import VALUE_SEPARATOR
from serving.page_rules import AtMost, Diversity, PriceTiers


@dataclass(frozen=True)
class Group:
    """A limit on values that items share.

    Args:
        title: The rule, for people.
        values: The names of the values.
        has: bool `[items, values]`.
        count: The most items of one value in a window.
        window: Consecutive places.
    """

    title: str
    values: Sequence[str]
    has: np.ndarray
    count: int
    window: int

    def blocked(self, counts: np.ndarray, place: int) -> np.ndarray:
        """The values that are used up around a place: bool `[values]`.

        Args:
            counts: int `[values, places]`, 1 where an item of the value stands.
            place: From 0.
        """
        return self.fullest(counts, place) >= self.count

    def fullest(self, counts: np.ndarray, place: int) -> np.ndarray:
        """How many of each value are in the fullest window over a place: `[values]`."""
        first = max(0, place - self.window + 1)
        around = counts[:, first : place + self.window]
        total = np.zeros((len(counts), around.shape[1] + 1), int)
        np.cumsum(around, axis=1, out=total[:, 1:])
        starts = np.arange(place - first + 1)
        ends = np.minimum(starts + self.window, around.shape[1])
        return (total[:, ends] - total[:, starts]).max(axis=1, initial=0)

    def most_in(self, places: int) -> int:
        """How many items of one value fit into so many places, at most."""
        whole, rest = divmod(places, self.window)
        return self.count * whole + min(self.count, rest)


def group_of(rule: AtMost | PriceTiers, candidates: Sequence[Mapping]) -> Group:
    """A rule over a list's candidates.

    Raises:
        ValueError: A candidate has not the feature, or its price is no number.
    """
    if isinstance(rule, PriceTiers):
        rows = [[f"tier {tier}"] for tier in _tiers(rule, candidates)]
    else:
        rows = [_values(one, rule.feature, i) for i, one in enumerate(candidates)]
    values = sorted({value for row in rows for value in row})
    has = np.zeros((len(rows), len(values)), bool)
    for i, row in enumerate(rows):
        has[i, [values.index(value) for value in row]] = True
    return Group(rule.title, values, has, rule.count, rule.window)


def similarity_of(rule: Diversity, candidates: Sequence[Mapping]) -> np.ndarray:
    """The share of values that two candidates have in common: float `[items, items]`.

    Raises:
        ValueError: A candidate has not the feature.
    """
    rows = [_values(one, rule.feature, i) for i, one in enumerate(candidates)]
    number = {v: n for n, v in enumerate(sorted({v for r in rows for v in r}), 1)}
    ids = np.zeros((1, len(rows), max(map(len, rows), default=0)), int)
    for i, row in enumerate(rows):
        ids[0, i, : len(row)] = [number[value] for value in row]
    return category_similarity(ids)[0]


def _values(candidate, feature, place) -> list[str]:
    """Its values; none for empty text."""
    found = str(_value(candidate, feature, place))
    return list(dict.fromkeys(v for v in found.split(VALUE_SEPARATOR) if v))


def _tiers(rule, candidates):
    prices = [_value(one, rule.feature, i) for i, one in enumerate(candidates)]
    try:
        prices = np.array(prices, float)
    except ValueError:
        prices = np.array([np.nan])
    if not np.isfinite(prices).all():
        raise ValueError(
            f"{rule.feature} must be a finite number of every candidate to make tiers "
            "of it; name the feature that holds the price"
        )
    boundaries = rule.boundaries
    if not boundaries and len(prices):
        parts = np.arange(1, rule.tiers) / rule.tiers
        boundaries = np.quantile(prices, parts, method="inverted_cdf").tolist()
        return [int(np.searchsorted(boundaries, price)) + 1 for price in prices]
    return [bisect_right(boundaries, price) + 1 for price in prices]


def _value(candidate, feature, place):
    if feature not in candidate:
        raise ValueError(
            f"candidate {place} has no feature {feature!r}; it has {sorted(candidate)}"
        )
    return candidate[feature]
