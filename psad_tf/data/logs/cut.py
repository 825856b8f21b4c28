"""Rows of users to lists: windows, chunks, histories; no step in Python a row."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.logs.protocol import Protocol


@dataclass(frozen=True)
class Lists:
    """The lists of a bucket of users, oldest first in each user; arrays of `[lists]`.

    Args:
        begin: First row.
        end: One past the last row.
        window_end: One past the last row of its window.
        number: Position among the lists of the same window, from 0.
        t_start: Time of the window's oldest row.
        t_newest: Time of the window's newest row.
        rows_before: How many rows the user has before the window.
        past_begin: Of the clicked rows (of all users, in order), the first one of the
            list's history.
        past_end: One past the last one.
        clicks: How many of the list's rows are clicked.
    """

    begin: np.ndarray
    end: np.ndarray
    window_end: np.ndarray
    number: np.ndarray
    t_start: np.ndarray
    t_newest: np.ndarray
    rows_before: np.ndarray
    past_begin: np.ndarray
    past_end: np.ndarray
    clicks: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Rows of each list."""
        return self.end - self.begin

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Every row of the lists, list after list; and whose each is."""
        return spread(self.begin, self.end)

    def take(self, chosen: np.ndarray) -> "Lists":
        """Some of the lists, by index or by whether each is meant."""
        fields = self.__dataclass_fields__
        return Lists(**{name: getattr(self, name)[chosen] for name in fields})


def windows(user: np.ndarray, time: np.ndarray, seconds: int) -> np.ndarray:
    """`[windows]` the first row of each window, ascending.

    A user's windows are anchored at the newest row backwards: one takes every row at
    most `seconds` older than its newest.

    Args:
        user: `[rows]` whole numbers, ascending.
        time: `[rows]` whole seconds, ascending in each user.
        seconds: How far a window reaches.
    """
    if not len(user):
        return np.zeros(0, np.int64)
    width = int(time.max() - time.min()) + 1
    key = user * width + (time - time.min())
    oldest = np.maximum(key - seconds, user * width)
    # Where the window begins whose newest row this is, for every row.
    begins = np.searchsorted(key, oldest, side="left").tolist()
    found, newest = [], len(begins) - 1
    while newest >= 0:  # one step a window
        found.append(begins[newest])
        newest = begins[newest] - 1
    return np.array(found[::-1], np.int64)


def requests(request: np.ndarray) -> np.ndarray:
    """`[requests]` the first row of each request, ascending; its rows are together."""
    return np.flatnonzero(np.diff(request, prepend=request[:1] - 1) != 0)


def cut_lists(
    user: np.ndarray,
    time: np.ndarray,
    label: np.ndarray,
    starts: np.ndarray,
    protocol: Protocol,
) -> Lists:
    """Every list that the rules make of these windows, whatever becomes of it.

    Args:
        user: `[rows]` whole numbers, ascending.
        time: `[rows]` seconds, ascending in each user.
        label: `[rows]` 0 or 1.
        starts: `[windows]` the first row of each window, ascending.
        protocol: The rules.
    """
    ends = np.append(starts[1:], len(user))
    clicks = np.concatenate([[0], np.cumsum(label, dtype=np.int64)])
    chosen = np.arange(len(starts))
    if protocol.one_list:
        chosen = np.flatnonzero(clicks[ends] > clicks[starts])
        # Users' windows follow each other: a user's newest comes last.
        of = user[starts[chosen]]
        chosen = chosen[np.append(of[1:] != of[:-1], True)[: len(chosen)]]
    sizes = (ends - starts)[chosen]
    if protocol.window_length:
        step, chunks = protocol.window_length, np.ones(len(chosen), np.int64)
    else:
        step = protocol.list_length
        chunks = -(-sizes // step)
    window = np.repeat(chosen, chunks)
    number = np.arange(len(window)) - np.repeat(np.cumsum(chunks) - chunks, chunks)
    begin = starts[window] + number * step
    end = np.minimum(begin + step, ends[window])
    first = np.searchsorted(user, user[begin], side="left")  # the user's first row
    past_end = clicks[starts[window]]
    past_begin = np.maximum(clicks[first], past_end - protocol.history_length)
    return Lists(
        begin,
        end,
        ends[window],
        number,
        t_start=time[starts[window]],
        t_newest=time[ends[window] - 1],
        rows_before=starts[window] - first,
        past_begin=past_begin,
        past_end=past_end,
        clicks=clicks[end] - clicks[begin],
    )


def spread(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The members of ranges, one range after another; and whose each is."""
    sizes = end - begin
    which = np.repeat(np.arange(len(sizes)), sizes)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return begin[which] + offset, which
