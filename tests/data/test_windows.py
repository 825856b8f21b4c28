"""Windows, chunks, histories, cuts and fates: by hand, and against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_logs import rating_array

from psad_tf.data.errors import DataError
from psad_tf.data.log import tie_break
from psad_tf.data.windows import (
    FIRST_STAGE,
    ONE_LABEL,
    STRADDLES,
    TOO_FEW,
    Cuts,
    chunks,
    fate,
    plan_cuts,
    windows,
)

CUTS = Cuts(1000, 2000, 3000)


def _ratings(times, likes=None):
    """One user's ratings of items 0, 1, ...: 5 for a like, else 2."""
    likes = likes or [True] * len(times)
    return rating_array(
        (1, item, 5 if like else 2, time)
        for item, (time, like) in enumerate(zip(times, likes, strict=True))
    )


logs = st.lists(st.integers(0, 1500), min_size=1, max_size=60).map(_ratings)


def test_windows_are_anchored_at_the_newest():
    # From 1000 back to 700; then from 699 back to 399; 398 is alone.
    found = windows(_ratings([398, 399, 500, 699, 700, 1000]))
    assert [w["timestamp"].tolist() for w in found] == [
        [398],
        [399, 500, 699],
        [700, 1000],
    ]


def _plain_windows(times):
    """The definition, word by word: newest first, anchored at the newest left."""
    newest_first, found = sorted(times, reverse=True), []
    while newest_first:
        anchor = newest_first[0]
        taken = [t for t in newest_first if anchor - t <= 300]
        newest_first = newest_first[len(taken) :]
        found.insert(0, sorted(taken))
    return found


@given(logs)
def test_windows_as_a_plain_loop_makes_them(ratings):
    found = [window["timestamp"].tolist() for window in windows(ratings)]
    assert found == _plain_windows(ratings["timestamp"].tolist())


@given(logs, st.randoms())
def test_order_of_rows_leaves_no_trace(ratings, rng):
    shuffled = ratings.copy()
    order = list(range(len(ratings)))
    rng.shuffle(order)
    for one, other in zip(
        chunks(ratings, 7, 5), chunks(shuffled[order], 7, 5), strict=True
    ):
        assert one.candidates.tobytes() == other.candidates.tobytes()
        assert one.history.tobytes() == other.history.tobytes()


def test_long_window_becomes_consecutive_chunks():
    ratings = _ratings(list(range(100, 145)))
    found = list(chunks(ratings, list_length=20, history_length=50))
    assert [len(c.candidates) for c in found] == [20, 20, 5]
    assert [c.number for c in found] == [0, 1, 2]
    times = np.concatenate([c.candidates["timestamp"] for c in found])
    assert times.tolist() == list(range(100, 145))
    # Chunks of one window begin together and know nothing of each other.
    assert {(c.t_start, c.t_newest, len(c.history)) for c in found} == {(100, 144, 0)}


def test_equal_times_are_ordered_by_the_hash():
    (chunk,) = chunks(_ratings([100] * 9), 20, 50)
    hashes = [tie_break("1", str(item)) for item in chunk.candidates["item"]]
    assert hashes == sorted(hashes) and len(set(hashes)) == 9
    assert chunk.candidates["item"].tolist() != list(range(9))


def test_tie_break_is_the_same_on_every_machine():
    # blake2b of "196\t242", 8 bytes, big-endian; recorded once with b2sum -l 64.
    assert tie_break("196", "242") == int("c48696544892aea8", 16)
    assert tie_break("19", "6242") != tie_break("196", "242")


def test_history_is_the_latest_ratings_of_earlier_windows():
    times = [100, 101, 1000, 1001, 1002, 5000]
    likes = [True, False, True, False, True, True]
    found = list(chunks(_ratings(times, likes), 20, history_length=3))
    assert [c.history["item"].tolist() for c in found] == [[], [0, 1], [2, 3, 4]]
    assert found[2].history["rating"].tolist() == [5, 2, 5]
    assert [c.rated_before for c in found] == [0, 2, 5]


def test_history_comes_also_from_windows_that_give_no_list():
    first, second = chunks(_ratings([100, 1000, 1001, 1002]), 20, 50)
    assert fate(first, CUTS) == TOO_FEW
    assert second.history["item"].tolist() == [0]


@given(logs)
def test_history_is_strictly_older(ratings):
    for chunk in chunks(ratings, 7, 50):
        assert (chunk.history["timestamp"] < chunk.t_start).all()
        older = ratings["timestamp"] < chunk.t_start
        assert chunk.rated_before == older.sum()
        assert len(chunk.history) == min(50, older.sum())


@given(logs)
def test_every_rating_is_in_one_chunk(ratings):
    items = np.concatenate([c.candidates["item"] for c in chunks(ratings, 7, 5)])
    assert sorted(items) == sorted(ratings["item"])


@given(logs, st.lists(st.integers(1, 5), min_size=60, max_size=60))
def test_ratings_decide_no_order_and_no_membership(ratings, other):
    changed = ratings.copy()
    changed["rating"] = other[: len(ratings)]
    for one, two in zip(chunks(ratings, 7, 5), chunks(changed, 7, 5), strict=True):
        assert one.candidates["item"].tolist() == two.candidates["item"].tolist()
        assert (one.t_start, one.t_newest) == (two.t_start, two.t_newest)


MIXED = [True, False, True]


@pytest.mark.parametrize(
    "times, likes, expected",
    [
        ([10, 11], [True, False], TOO_FEW),
        ([10, 11, 12], [True] * 3, ONE_LABEL),
        ([10, 11, 12], [False] * 3, ONE_LABEL),
        ([998, 999, 999], MIXED, FIRST_STAGE),
        ([998, 999, 1000], MIXED, STRADDLES),
        ([1000, 1001, 1002], MIXED, "train"),
        ([1900, 1950, 2000], MIXED, STRADDLES),
        ([2000, 2001, 2002], MIXED, "validation"),
        ([2900, 2950, 3100], MIXED, STRADDLES),
        ([3000, 3001, 3002], MIXED, "test"),
    ],
)
def test_fates(times, likes, expected):
    (chunk,) = chunks(_ratings(times, likes), 20, 50)
    assert fate(chunk, CUTS) == expected


def test_a_rating_of_four_is_a_click():
    rows = [(1, 1, 3, 10), (1, 2, 4, 11), (1, 3, 5, 12)]
    (chunk,) = chunks(rating_array(rows), 20, 50)
    assert chunk.labels.tolist() == [0.0, 1.0, 1.0]


def _ten_lists(likes=None):
    times = [1000 * n + second for n in range(1, 11) for second in (0, 1, 2)]
    return list(chunks(_ratings(times, likes), 20, 50))


def test_cuts_part_the_lists_by_time():
    # Lists begin at 1000, 2000, ... 10000: 3 + 5 + 1 of them, and 1 for test.
    assert plan_cuts(_ten_lists(), (0.3, 0.5, 0.1)) == (4000, 9000, 10000)


def test_cuts_know_nothing_of_labels():
    changed = _ten_lists([n % 2 == 0 for n in range(30)])
    assert plan_cuts(changed, (0.3, 0.5, 0.1)) == (4000, 9000, 10000)


def test_log_without_lists_is_an_error():
    with pytest.raises(DataError, match="no user rated 3 items within 300 seconds"):
        plan_cuts(list(chunks(_ratings([10, 20]), 20, 50)), (0.3, 0.5, 0.1))
