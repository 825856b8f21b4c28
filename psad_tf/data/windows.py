"""Cuts a user's ratings into the candidates of lists, and says what becomes of each.

A window is what a user rated within five minutes: the items that were before them.
Half of all ratings share their second with another, so every order that time leaves
open is decided by a hash of user and item, never by the file or by a label.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from psad_tf.data.errors import DataError
from psad_tf.data.log import LIKE, in_time_order

WINDOW_SECONDS = 300
MIN_CANDIDATES = 3

TOO_FEW = "too_few_candidates"
ONE_LABEL = "one_label_only"
STRADDLES = "straddles_a_cut"
FIRST_STAGE = "first_stage_period"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Chunk:
    """The raw material of one list: at most `list_length` ratings of a window.

    Args:
        candidates: Array of `RATING`, in time order.
        history: Array of `RATING`: the latest ratings of earlier windows, oldest
            first.
        t_start: Time of the window's oldest rating; shared by its chunks.
        t_newest: Time of the window's newest rating.
        number: Position among the chunks of the window, from 0.
        rated_before: How many ratings the user gave before `t_start`.
    """

    candidates: np.ndarray
    history: np.ndarray
    t_start: int
    t_newest: int
    number: int
    rated_before: int

    @property
    def user(self) -> int:
        """Whose ratings they are."""
        return int(self.candidates["user"][0])

    @property
    def labels(self) -> np.ndarray:
        """`[candidates]` 1.0 for a like, else 0.0."""
        return (self.candidates["rating"] >= LIKE).astype(np.float64)


class Cuts(NamedTuple):
    """The times at which the first stage, train and validation periods end."""

    first_stage_end: int
    train_end: int
    validation_end: int


def windows(ratings: np.ndarray) -> list[np.ndarray]:
    """One user's ratings as windows, oldest first, each in time order.

    Windows are anchored from the newest rating backwards: one takes every rating at
    most `WINDOW_SECONDS` older than its newest.
    """
    rest = in_time_order(ratings)
    found = []
    while len(rest):
        oldest = rest["timestamp"][-1] - WINDOW_SECONDS
        begin = np.searchsorted(rest["timestamp"], oldest, side="left")
        found.append(rest[begin:])
        rest = rest[:begin]
    return found[::-1]


def chunks(
    ratings: np.ndarray, list_length: int, history_length: int
) -> Iterator[Chunk]:
    """Every chunk of one user's ratings, oldest first, whether it makes a list or not.

    Args:
        ratings: Array of `RATING`, all of one user, in any order.
        list_length: The most candidates of a chunk; longer windows give several.
        history_length: The most past items of a chunk; the latest are kept.
    """
    past = ratings[:0]
    for window in windows(ratings):
        times = window["timestamp"]
        for number, begin in enumerate(range(0, len(window), list_length)):
            part = window[begin : begin + list_length]
            latest = past[max(0, len(past) - history_length) :]
            yield Chunk(part, latest, int(times[0]), int(times[-1]), number, len(past))
        past = np.concatenate([past, window])


def plan_cuts(all_chunks: Sequence[Chunk], shares: Sequence[float]) -> Cuts:
    """Times that part the lists, ordered by `t_start`, in the given shares.

    Whether a chunk has both labels plays no part: a changed rating moves no cut.

    Args:
        all_chunks: Of all users, in any order.
        shares: Of first stage, train and validation; the rest is for test.
    """
    long_enough = [c for c in all_chunks if len(c.candidates) >= MIN_CANDIDATES]
    if not long_enough:
        raise DataError(
            f"no user rated {MIN_CANDIDATES} items within {WINDOW_SECONDS} seconds, so "
            "there is no list to build; give a larger log"
        )
    starts = np.sort([chunk.t_start for chunk in long_enough])
    # Rounded first, so that 0.3 + 0.5 of 10 lists is 8 and not 7.
    positions = np.round(np.cumsum(shares) * len(starts), 6).astype(int)
    return Cuts(*(int(starts[position]) for position in positions))


def fate(chunk: Chunk, cuts: Cuts) -> str:
    """The split a chunk's list belongs to, or the reason why it gives none."""
    if len(chunk.candidates) < MIN_CANDIDATES:
        return TOO_FEW
    if len(set(chunk.labels)) < 2:
        return ONE_LABEL
    if any(chunk.t_start < cut <= chunk.t_newest for cut in cuts):
        return STRADDLES
    period = int(np.searchsorted(cuts, chunk.t_start, side="right"))
    return (FIRST_STAGE, *SPLITS)[period]
