"""What becomes of lists and rows: the cuts in time, the splits, the reasons."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from psad_tf.data.logs.cut import Lists, spread
from psad_tf.data.logs.hashing import share
from psad_tf.data.logs.protocol import Protocol
from psad_tf.data.windows import (
    FIRST_STAGE,
    ONE_LABEL,
    SPLITS,
    STRADDLES,
    TOO_FEW,
    Cuts,
)

HISTORY_ONLY = "history_only"
OTHER_WINDOW, TOO_LONG = "other_window", "over_window_length"
BELOW_CUT = "below_initial_cut"
# A list's fate is an index into these; stored lists come first.
FATES = (*SPLITS, FIRST_STAGE, TOO_FEW, ONE_LABEL, STRADDLES)


def cuts_of(
    starts: np.ndarray, counts: np.ndarray, shares: Sequence[float]
) -> Cuts | None:
    """Times that part lists in the given shares, as `psad_tf.data.windows.plan_cuts`.

    Args:
        starts: `[n]` distinct times at which lists begin, ascending.
        counts: `[n]` how many lists begin then.
        shares: Of first stage, train and validation; the rest is for test.

    Returns:
        The cuts; None if there is no list.
    """
    total = int(counts.sum())
    if not total:
        return None
    positions = np.round(np.cumsum(shares) * total, 6).astype(np.int64)
    reached = np.cumsum(counts)
    return Cuts(*(int(starts[np.searchsorted(reached, p, "right")]) for p in positions))


def long_enough(lists: Lists, protocol: Protocol) -> np.ndarray:
    """`[lists]` whether a list has enough candidates."""
    return lists.size >= protocol.min_candidates


def list_fates(
    lists: Lists,
    user_hash: np.ndarray,
    protocol: Protocol,
    cuts: Cuts | None,
    seed: int,
) -> np.ndarray:
    """`[lists]` indices into `FATES`.

    Args:
        lists: The lists.
        user_hash: `[lists]` `stable_hash` of each list's user.
        protocol: The rules.
        cuts: Where splits follow each other in time.
        seed: Where users are drawn.
    """
    if protocol.by_time:
        bounds = np.array(cuts if cuts else (0, 0, 0))
        period = np.searchsorted(bounds, lists.t_start, side="right")
        newest = np.searchsorted(bounds, lists.t_newest, side="right")
    else:
        bounds = np.round(np.cumsum(protocol.shares), 6)
        period = np.searchsorted(bounds, share(seed, user_hash), side="right")
        newest = period
    fates = np.where(period == 0, FATES.index(FIRST_STAGE), period - 1)
    fates[newest != period] = FATES.index(STRADDLES)
    if protocol.both_labels:
        is_one = (lists.clicks == 0) | (lists.clicks == lists.size)
        fates[is_one] = FATES.index(ONE_LABEL)
    fates[~long_enough(lists, protocol)] = FATES.index(TOO_FEW)
    return fates


def is_stored(fates: np.ndarray) -> np.ndarray:
    """`[lists]` whether a list is in a split."""
    return fates < len(SPLITS)


def in_history(lists: Lists, label: np.ndarray) -> np.ndarray:
    """`[rows]` whether a row is in the history of at least one of these lists."""
    clicked = np.flatnonzero(label)
    change = np.zeros(len(clicked) + 1, np.int64)
    np.add.at(change, lists.past_begin, 1)
    np.add.at(change, lists.past_end, -1)
    found = np.zeros(len(label), bool)
    found[clicked[np.cumsum(change[:-1]) > 0]] = True
    return found


def count_fates(
    lists: Lists,
    fates: np.ndarray,
    is_candidate: np.ndarray,
    label: np.ndarray,
    protocol: Protocol,
) -> tuple[Counter, Counter]:
    """Lists by fate, and rows by fate: each row has one.

    Args:
        lists: All lists of a bucket.
        fates: `[lists]` theirs.
        is_candidate: `[rows]` whether a row is stored as a candidate.
        label: `[rows]` 0 or 1.
        protocol: The rules.
    """
    by_list = Counter({FATES[n]: int(c) for n, c in enumerate(np.bincount(fates))})
    rest = OTHER_WINDOW if protocol.one_list else TOO_LONG
    names = (*FATES, rest, TOO_LONG, BELOW_CUT, HISTORY_ONLY)
    of_row = np.full(len(label), names.index(rest))
    if protocol.one_list:
        of_row[spread(lists.end, lists.window_end)[0]] = len(FATES) + 1
    rows, which = lists.rows()
    of_row[rows] = fates[which]
    stored = is_stored(fates)
    of_row[rows[stored[which] & ~is_candidate[rows]]] = names.index(BELOW_CUT)
    is_past = in_history(lists.take(stored), label)
    of_row[is_past & ~is_candidate] = names.index(HISTORY_ONLY)
    by_row: Counter = Counter()
    for number, count in enumerate(np.bincount(of_row)):
        by_row[names[number]] += int(count)
    return by_list, by_row
