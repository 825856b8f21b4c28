"""Makes a user's lists of their log, and says what becomes of each."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from psad_tf.data.click_world.logs import UserLog
from psad_tf.data.click_world.statistics import ItemStatistics
from psad_tf.data.click_world.users import User
from psad_tf.data.click_world.world import GENDERS, World
from psad_tf.data.ranking_list import RankingList, Value
from psad_tf.data.windows import SPLITS
from psad_tf.feature_sets.click_world import TRUE_RELEVANCE
from psad_tf.features import INITIAL_SCORE, ITEM_ID

BURN_IN, NO_CLICK, ALL_CLICKED = "burn_in", "no_click", "all_clicked"
_SECONDS_AN_HOUR = 3600


def fates(log: UserLog, world: World) -> list[str]:
    """The split of each list, or the reason why it is not stored.

    A list without a click, or with nothing else, says nothing of the order.
    """
    periods = np.searchsorted(world.config.cuts, log.times, side="right")
    names = np.array([BURN_IN, *SPLITS], object)[periods]
    shown, clicked = log.clicks.shape[-1], log.clicks.sum(axis=-1)
    names[(clicked == 0) & (periods > 0)] = NO_CLICK
    names[(clicked == shown) & (periods > 0)] = ALL_CLICKED
    return names.tolist()


class PastClicks(NamedTuple):
    """What a user clicked before a list, oldest first.

    Args:
        items: `[n]` indices.
        times: `[n]` seconds since the epoch.
    """

    items: np.ndarray
    times: np.ndarray


def past_clicks(log: UserLog, length: int) -> list[PastClicks]:
    """For each list the latest `length` clicks on the lists before."""
    lists, places = np.nonzero(log.clicks)
    items, times = log.items[lists, places], log.times[lists]
    ends = np.searchsorted(lists, np.arange(len(log.times)), side="left")
    spans = [slice(max(0, end - length), end) for end in ends]
    return [PastClicks(items[span], times[span]) for span in spans]


class ListMaker:
    """Makes lists with the features of `CLICK_WORLD`.

    Args:
        world: The world.
        statistics: Of everybody's clicks.
    """

    def __init__(self, world: World, statistics: ItemStatistics):
        self._world = world
        self._statistics = statistics
        self._fixed = fixed_features(world)

    def stored(
        self, number: int, user: User, log: UserLog
    ) -> Iterator[tuple[str, RankingList]]:
        """The lists of a user that are stored, oldest first, each with its split.

        Nothing in a list is from its time or later, but for labels and truth.

        Args:
            number: The user's number.
            user: The user that `make_user` gives for the number.
            log: Theirs, from `make_log`.
        """
        past = past_clicks(log, self._world.config.history_length)
        for row, split in enumerate(fates(log, self._world)):
            if split in SPLITS:
                yield split, self._list(number, user, log, row, past[row])

    def _list(self, number, user, log, row: int, past: PastClicks) -> RankingList:
        time = int(log.times[row])
        return RankingList(
            user=_profile(number, user, row),
            candidates=self._candidates(log, row),
            history=self._history(past, time),
            labels=log.clicks[row].astype(float).tolist(),
            request_id=f"u{number}-{row}",
            timestamp=time,
            truth=[{TRUE_RELEVANCE: r} for r in log.relevance[row].tolist()],
        )

    def _candidates(self, log: UserLog, row: int) -> list[dict[str, Value]]:
        found = self._items(log.items[row], int(log.times[row]))
        for item, score in zip(found, log.scores[row].tolist(), strict=True):
            item[INITIAL_SCORE] = score
        return found

    def _history(self, past: PastClicks, time: int) -> list[dict[str, Value]]:
        found = self._items(past.items, time)
        hours = np.log1p((time - past.times) / _SECONDS_AN_HOUR)
        for item, log_hours_ago in zip(found, hours.tolist(), strict=True):
            item["log_hours_ago"] = log_hours_ago
        return found

    def _items(self, items: np.ndarray, time: int) -> list[dict[str, Value]]:
        """The features that candidates and past items share."""
        statistics = self._statistics.as_of(items, time).tolist()
        return [
            {**self._fixed[item], "click_rate": rate, "log_impressions": count}
            for item, (rate, count) in zip(items.tolist(), statistics, strict=True)
        ]


def fixed_features(world: World) -> list[dict[str, Value]]:
    """For each item the features that never change."""
    items = world.items
    columns = {
        ITEM_ID: items.ids(),
        "category": [f"c{number}" for number in items.category.tolist()],
        "brand": [f"b{number}" for number in items.brand.tolist()],
        "log_price": items.log_price.tolist(),
        "price_level": items.price_level.tolist(),
    }
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _profile(number: int, user: User, lists_before: int) -> dict[str, Value]:
    return {
        "user_id": f"u{number}",
        "user_age": float(user.age),
        "user_gender": GENDERS[user.gender],
        "user_segment": f"s{user.segment}",
        "user_city_tier": f"t{user.city_tier + 1}",
        "user_list_count": float(lists_before),
    }
