"""Made-up sessions: who sees which items when, with the skew of real logs.

Users come back in sessions of up to forty items. Few items are seen often and most of
them rarely; one stands in half of all sessions. One user, a bot, sees an item a second.
No two rows share user, item and time: what stands twice in a file was put there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from psad_tf.data.logs.generate_lines import zipf

SECONDS_A_DAY = 86_400
SLOT = 600  # seconds; a session is shorter than a slot
BOT_SHARE = 0.02
HOT_ITEM = 0  # its rank
_MAX_LENGTH, _MAX_GAP = 40, 14


class Rows(NamedTuple):
    """`[rows]` ranks of user and item, seconds since the log's begin, and sessions.

    A session's rows follow each other; its number is its own in the whole log.
    """

    user: np.ndarray
    item: np.ndarray
    second: np.ndarray
    session: np.ndarray


@dataclass
class Sessions:
    """Gives rows in chunks, each session whole.

    Args:
        users: How many there are, the bot not counted; the bot's rank is `users`.
        items: How many there are, of which the first is the hot one.
        days: How long the log is.
        mean_length: Of sessions, in items.
    """

    users: int
    items: int
    days: int
    mean_length: float

    def __post_init__(self):
        self._visits = np.zeros(self.users, np.int64)  # sessions so far, of each user
        self._seconds = self.days * SECONDS_A_DAY
        self._bot_rows = self._sessions = 0

    def draw(self, random: np.random.Generator, size: int) -> Rows:
        """The next `size` rows, session after session."""
        bot = min(int(size * BOT_SHARE), self._seconds - self._bot_rows)
        parts = self._humans(random, size - bot), self._bot(random, bot)
        return Rows(*map(np.concatenate, zip(*parts, strict=True)))

    def _humans(self, random: np.random.Generator, size: int) -> Rows:
        lengths = random.geometric(1 / self.mean_length, size).clip(max=_MAX_LENGTH)
        count = int(np.searchsorted(np.cumsum(lengths), size)) + 1
        lengths = lengths[:count]
        lengths[-1] -= lengths.sum() - size
        first = np.cumsum(lengths) - lengths
        # Few users come often: at most 4 * users ** 0.3 times, far below a slot each.
        user = (self.users * random.random(count) ** 1.4).astype(np.int64)
        item = 1 + zipf(random, size, self.items - 1)
        hot = np.flatnonzero(random.random(count) < 0.5)
        place = first + (random.random(count) * lengths).astype(np.int64)
        item[place[hot]] = HOT_ITEM
        session = np.repeat(np.arange(count), lengths)
        begin = self._slots(user) * SLOT
        second = begin[session] + _offsets(random, item, first, session)
        self._sessions += count
        number = self._sessions - count + session
        return Rows(user[session], item, second, number)

    def _slots(self, user: np.ndarray) -> np.ndarray:
        """`[sessions]` when each takes place: a user's, each in a slot of its own."""
        order = np.argsort(user, kind="stable")
        grouped = user[order]
        begins = np.searchsorted(grouped, grouped)
        earlier = np.empty_like(user)
        earlier[order] = np.arange(len(user)) - begins
        visit = self._visits[user] + earlier
        self._visits += np.bincount(user, minlength=self.users)
        # 311 is a prime and no factor of the number of slots.
        return (visit * 311 + user * 17) % (self._seconds // SLOT)

    def _bot(self, random: np.random.Generator, size: int) -> Rows:
        number = self._bot_rows + np.arange(size)
        self._bot_rows += size
        user = np.full(size, self.users)
        item = 1 + zipf(random, size, self.items - 1)
        self._sessions += size
        session = self._sessions - size + np.arange(size)
        return Rows(user, item, number * 7919 % self._seconds, session)


def _offsets(
    random: np.random.Generator,
    item: np.ndarray,
    first: np.ndarray,
    session: np.ndarray,
) -> np.ndarray:
    """`[rows]` seconds since the session began; rows that share one differ in item."""
    gaps = random.integers(0, _MAX_GAP, len(item), endpoint=True)
    is_rising = np.diff(item, prepend=-1) > 0
    gaps = np.where(is_rising, gaps, np.maximum(gaps, 1))
    gaps[first] = 0
    passed = np.cumsum(gaps)
    return passed - passed[first][session]
