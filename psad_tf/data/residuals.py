"""What remains of each rating once its item's and its user's means are taken off it.

A residual says how much more a user liked an item than this user likes items and than
this item is liked: what taste is made of.
"""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.statistics import DEFAULT_MEAN, PRIOR_WEIGHT

# Of a long log, at so many moments the sums so far are kept.
_MOMENTS = 64


@dataclass(frozen=True)
class Means:
    """Smoothed means as of a moment.

    Args:
        item: `[items]` of an item's ratings.
        user: `[users]` of what a user's ratings exceed their items' means by.
    """

    item: np.ndarray
    user: np.ndarray


class Residuals:
    """Residuals of any items' ratings as of any moment.

    Holds two dense tables, five bytes for each pair of an item and a user.

    Args:
        ratings: Array of `RATING`, sorted by time.
        users: How many there are.
        items: How many there are.
    """

    def __init__(self, ratings: np.ndarray, users: int, items: int):
        # A column of records is read several times slower than an array of its own.
        self._item, self._user = (
            ratings[name].astype(np.intp) for name in ("item", "user")
        )
        self._stars = ratings["rating"].astype(np.float64)
        self._when = ratings["timestamp"].copy()
        self._rating = np.zeros((items, users), np.int8)
        # A rating's place in time stands for its moment: it takes half the bytes.
        self._place = np.full((items, users), len(ratings), np.int32)
        pairs = ratings["item"], ratings["user"]
        self._rating[pairs] = ratings["rating"]
        self._place[pairs] = np.arange(len(ratings), dtype=np.int32)
        # Of the first `k * _step` ratings, the k-th: whole numbers, so sums are exact.
        self._step = len(ratings) // _MOMENTS + 1
        sums = [(np.zeros(items), np.zeros(items), np.zeros(users))]
        for first in range(0, len(ratings), self._step):
            sums.append(self._added(sums[-1], first, first + self._step))
        self._sums = sums

    def _added(self, sums, first: int, end: int) -> tuple[np.ndarray, ...]:
        """Stars and ratings of items, and ratings of users, with some more of them."""
        stars, of_items, of_users = sums
        item, user = self._item[first:end], self._user[first:end]
        return (
            stars + np.bincount(item, self._stars[first:end], len(stars)),
            of_items + np.bincount(item, minlength=len(of_items)),
            of_users + np.bincount(user, minlength=len(of_users)),
        )

    def _before(self, moment: int) -> int:
        """How many ratings there are before a moment."""
        return int(np.searchsorted(self._when, moment, side="left"))

    def rated(self, user: int, moment: int) -> np.ndarray:
        """Indices of the items that a user rated before a moment, increasing."""
        return np.flatnonzero(self._place[:, user] < self._before(moment))

    def means(self, moment: int) -> Means:
        """Means of the ratings before a moment, smoothed by `PRIOR_WEIGHT`."""
        before = self._before(moment)
        known = before // self._step
        sums = self._added(self._sums[known], known * self._step, before)
        stars, of_items, of_users = sums
        prior = stars.sum() / before if before else DEFAULT_MEAN
        item = (stars + PRIOR_WEIGHT * prior) / (of_items + PRIOR_WEIGHT)
        excess = self._stars[:before] - item[self._item[:before]]
        excess = np.bincount(self._user[:before], excess, len(of_users))
        return Means(item, excess / (of_users + PRIOR_WEIGHT))

    def of(
        self, items: np.ndarray, moment: int, means: Means
    ) -> tuple[np.ndarray, np.ndarray]:
        """Residuals of items.

        Args:
            items: `[n]` indices.
            moment: Seconds since the epoch; ratings at that second don't count.
            means: As of the same moment.

        Returns:
            `[n, users]` residuals, 0 where there is no rating yet, and `[n, users]`
            1.0 where there is one, else 0.0.
        """
        is_known = self._place[items] < self._before(moment)
        residuals = means.item[items][:, None] + means.user
        np.subtract(self._rating[items], residuals, out=residuals)
        return np.where(is_known, residuals, 0.0), is_known.astype(np.float64)
