"""Is one ranker better than another: paired over lists, for several seeds.

A list's values under the seeds are averaged first; tests are over lists, which are what
was sampled from the world. How much a training run may differ from the next is said
apart from that, by an interval over seeds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
# What is nearer to 0 is rounding of equal values: such lists are ties.
DECIMALS = 9


class Interval(NamedTuple):
    """A mean and its interval; both ends are NaN where one value alone is known."""

    mean: float
    low: float
    high: float


class OverSeeds(NamedTuple):
    """One variant's runs: mean, standard deviation (with n - 1) and t interval.

    Of one run, `sd` is 0 and the interval's ends are NaN.
    """

    mean: float
    sd: float
    low: float
    high: float
    count: int


class Paired(NamedTuple):
    """One variant against another on the same lists.

    Args:
        over_lists: The mean difference and its t interval over lists.
        over_seeds: The same over the seeds' mean differences.
        p_value: Of the two-sided Wilcoxon signed-rank test over lists.
        effect: The matched-pairs rank-biserial correlation, from -1 to 1: the share of
            ranks where the first is better, minus that where the second is.
        lists: How many there are.
        ties: How many of them have a difference of 0.
    """

    over_lists: Interval
    over_seeds: Interval
    p_value: float
    effect: float
    lists: int
    ties: int


def over_seeds(values: Sequence[float]) -> OverSeeds:
    """One value a run, summed up.

    >>> over_seeds([0.25, 0.75, 0.5])[:2]
    (0.5, 0.25)
    """
    mean, low, high = mean_interval(values)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return OverSeeds(mean, sd, low, high, len(values))


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean of a sample with its t interval.

    Of 1, 2, 3, 4: mean 2.5, standard error sqrt(5/3) / 2, t(3) = 3.1824 at 97.5 %.

    >>> [round(end, 4) for end in mean_interval([1, 2, 3, 4])]
    [2.5, 0.4457, 4.5543]
    """
    values = _checked("values", values, 1)
    mean = float(values.mean())
    if len(values) == 1:
        return Interval(mean, np.nan, np.nan)
    error = stats.sem(values)
    if error == 0:
        return Interval(mean, mean, mean)
    low, high = stats.t.interval(level, len(values) - 1, loc=mean, scale=error)
    return Interval(mean, float(low), float(high))


def compare(first, second, level: float = LEVEL) -> Paired:
    """The first variant against the second.

    Args:
        first, second: `[seeds, lists]`, a value of each list; the same seeds in the
            same order, or one row alone for what does not depend on a seed.
        level: Of the intervals.

    Raises:
        ValueError: The shapes do not fit, there is no list, or a value is not finite.
    """
    first, second = _checked("first", first, 2), _checked("second", second, 2)
    same_seeds = len(first) == len(second) or 1 in (len(first), len(second))
    if first.shape[1] != second.shape[1] or not same_seeds:
        raise ValueError(
            f"first {first.shape} and second {second.shape} must have the same lists, "
            "and the same seeds or one row for all of them"
        )
    differences = first - second
    by_list = differences.mean(0)
    p_value, effect, ties = signed_rank(by_list)
    return Paired(
        mean_interval(by_list, level),
        mean_interval(differences.mean(1), level),
        p_value,
        effect,
        len(by_list),
        ties,
    )


def signed_rank(differences: Sequence[float]) -> tuple[float, float, int]:
    """Wilcoxon's signed-rank test: do differences lie as far above 0 as below?

    Zeros are ranked and then left out (Pratt), so that many ties make a small
    difference no surer; scipy's default drops them before ranking. Of -1, 0, 2, 3 the
    ranks are 2, 1, 3, 4: the effect is (3 + 4 - 2) / (3 + 4 + 2).

    >>> p, effect, ties = signed_rank([-1, 0, 2, 3])
    >>> round(effect, 4), ties
    (0.5556, 1)

    Args:
        differences: `[lists]`.

    Returns:
        The two-sided p-value, the rank-biserial correlation and the number of zeros;
        p is 1 and the correlation 0 where all are zeros.
    """
    differences = np.round(_checked("differences", differences, 1), DECIMALS)
    ties = int((differences == 0).sum())
    if ties == len(differences):
        return 1.0, 0.0, ties
    result = stats.wilcoxon(differences, zero_method="pratt")
    ranks = stats.rankdata(np.abs(differences))
    up, down = ranks[differences > 0].sum(), ranks[differences < 0].sum()
    return float(result.pvalue), float((up - down) / (up + down)), ties


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: p-values of a family that may all be held against one level.

    In rising order the i-th of m is multiplied by m - i + 1, and none falls below the
    one before it.

    >>> [round(p, 3) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]

    Args:
        p_values: Of every test in the family.

    Returns:
        The corrected values in the same order, at most 1.

    Raises:
        ValueError: A value is not in [0, 1].
    """
    values = np.asarray(p_values, float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p_values={values.tolist()}; each must be in [0, 1]")
    order = np.argsort(values)
    scaled = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected.tolist()


def _checked(name: str, values, dimensions: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != dimensions or not values.size:
        raise ValueError(
            f"{name} has shape {values.shape}; give {dimensions} dimension(s) and at "
            "least one value"
        )
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ValueError(f"{name} is not finite at {place}; leave no run unfinished")
    return values
