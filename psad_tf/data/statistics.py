"""What is known of an item at a moment: only ratings strictly before it count."""

import numpy as np

from psad_tf.data.log import LIKE

PRIOR_WEIGHT = 5.0  # the prior counts as this many ratings
DEFAULT_MEAN = 3.5  # of ratings and of likes, before anything was rated
DEFAULT_LIKE_RATE = 0.5


class ItemStatistics:
    """Smoothed means and counts of items as of any moment.

    Args:
        ratings: Array of `RATING`, in any order.
    """

    def __init__(self, ratings: np.ndarray):
        order = np.lexsort((ratings["timestamp"], ratings["item"]))
        by_item = ratings[order]
        items = by_item["item"].astype(np.int64)
        self._moments, places = np.unique(by_item["timestamp"], return_inverse=True)
        # Item by item, and for each in time: one order, so one search finds a moment
        # of many items.
        self._keys = self._keys_of(items, places)
        size = int(items.max(initial=-1)) + 1
        self._starts = np.searchsorted(items, np.arange(size + 1))
        self._item_totals = _running_totals(by_item)
        by_time = np.sort(ratings, order="timestamp")
        self._times = by_time["timestamp"]
        self._totals = _running_totals(by_time)

    def _keys_of(self, items, places):
        """Whole numbers that come as items do, and within an item as moments do."""
        return items.astype(np.int64) * (len(self._moments) + 1) + places

    def prior(self, moment: int) -> np.ndarray:
        """`[2]` mean rating and share of likes of all ratings before `moment`."""
        count = np.searchsorted(self._times, moment, side="left")
        if count == 0:
            return np.array([DEFAULT_MEAN, DEFAULT_LIKE_RATE])
        return self._totals[count] / count

    def as_of(self, items: np.ndarray, moment: int) -> np.ndarray:
        """Statistics of items, from ratings of anybody before `moment`.

        Args:
            items: `[n]` indices; an item that nobody rated has none.
            moment: Seconds since the epoch; ratings at that second don't count.

        Returns:
            `[n, 3]`: mean rating and like rate, both smoothed towards `prior` by
            `PRIOR_WEIGHT`, and log(1 + number of ratings).
        """
        place = np.searchsorted(self._moments, moment, side="left")
        first = self._starts[np.minimum(items, len(self._starts) - 1)]
        counts = np.searchsorted(self._keys, self._keys_of(items, place)) - first
        totals = self._item_totals[first + counts] - self._item_totals[first]
        weighted = totals + PRIOR_WEIGHT * self.prior(moment)
        means = weighted / (counts + PRIOR_WEIGHT)[:, None]
        return np.column_stack([means, np.log1p(counts)])


def _running_totals(ratings: np.ndarray) -> np.ndarray:
    """`[n + 1, 2]` sums of ratings and of likes of the first 0, 1, ... n rows."""
    likes = ratings["rating"] >= LIKE
    values = np.column_stack([ratings["rating"].astype(np.int64), likes])
    return np.concatenate([np.zeros((1, 2)), np.cumsum(values, axis=0)])
