"""What is known of an item on a day: impressions and clicks of all days before."""

import numpy as np

from psad_tf.data.click_world.config import BEGIN, DAY, WorldConfig
from psad_tf.data.click_world.logs import UserLog

PRIOR_WEIGHT = 10.0  # the click rate of all items counts as this many impressions
DEFAULT_RATE = 0.1  # before anything was shown


def daily_counts(logs: list[UserLog], config: WorldConfig) -> np.ndarray:
    """`[days, items, 2]` int64 impressions and clicks of each day in these logs."""
    counts = np.zeros((config.days, config.items, 2), np.int64)
    for log in logs:
        days = np.broadcast_to(_day(log.times)[:, None], log.items.shape)
        np.add.at(counts[..., 0], (days, log.items), 1)
        np.add.at(counts[..., 1], (days, log.items), log.clicks)
    return counts


class ItemStatistics:
    """Statistics of items as of any day, as a nightly job would refresh them.

    Args:
        counts: `[days, items, 2]` of everybody; the sum of all users' `daily_counts`.
    """

    def __init__(self, counts: np.ndarray):
        before = np.cumsum(counts, axis=0) - counts
        totals = before.sum(axis=1)
        shown = totals[:, 0] > 0
        rates = np.full(len(totals), DEFAULT_RATE)
        rates[shown] = totals[shown, 1] / totals[shown, 0]
        weighted = before[..., 1] + PRIOR_WEIGHT * rates[:, None]
        self._click_rate = weighted / (before[..., 0] + PRIOR_WEIGHT)
        self._log_impressions = np.log1p(before[..., 0])

    def as_of(self, items: np.ndarray, moment: int) -> np.ndarray:
        """Statistics of items at a moment, from the days before its day.

        Args:
            items: `[n]` indices.
            moment: Seconds since the epoch.

        Returns:
            `[n, 2]`: click rate, smoothed towards that of all items by `PRIOR_WEIGHT`,
            and log(1 + impressions).
        """
        day = _day(moment)
        return np.column_stack(
            [self._click_rate[day, items], self._log_impressions[day, items]]
        )


def _day(moments):
    return (moments - BEGIN) // DAY
