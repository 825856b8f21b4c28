"""Lists: hand-worked features, the initial order, and nothing from the future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_logs import rating_array

from psad_tf.data.examples import encode_list
from psad_tf.data.first_stage import FirstStage
from psad_tf.data.lists import Context, make_list
from psad_tf.data.log import Item, Log, User, in_time_order
from psad_tf.data.windows import chunks
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES

USERS = tuple(User(str(n), 20.0 + n, "F", "writer", "9") for n in range(4))
ITEMS = tuple(Item(str(n), f"Film {n}", ("Crime", "War"), 1990 + n) for n in range(40))


def _context(rows, item_bias=None) -> Context:
    ratings = in_time_order(rating_array(rows))
    bias = np.zeros(len(ITEMS)) if item_bias is None else np.array(item_bias, float)
    first_stage = FirstStage(
        [user.id for user in USERS],
        [item.id for item in ITEMS],
        np.zeros((len(USERS), 2)),
        np.zeros((len(ITEMS), 2)),
        bias,
    )
    return Context.of(Log(ratings, USERS, ITEMS, {}), first_stage)


def _lists(rows, user=1, item_bias=None):
    context = _context(rows, item_bias)
    own = rating_array(row for row in rows if row[0] == user)
    return [make_list(chunk, context) for chunk in chunks(own, 20, 50)]


# User 2 rates first; user 1 has a window at 1000 and one an hour and a half later.
ROWS = [(2, 5, 5, 900), (2, 6, 1, 1000)]
ROWS += [(1, 5, 4, 1000), (1, 6, 2, 1100), (1, 7, 5, 1200)]
ROWS += [(1, 8, 3, 6600), (1, 9, 4, 6601), (1, 10, 4, 6602)]


def test_by_hand():
    first, second = _lists(ROWS)
    assert (first.request_id, first.timestamp) == ("1-1000-0", 1000)
    assert first.history == []
    assert first.user == {
        "user_id": "1",
        "user_age": 21.0,
        "user_gender": "F",
        "user_occupation": "writer",
        "user_zip_prefix": "9",
        "user_rating_count": 0.0,
    }
    by_item = {item["item_id"]: item for item in first.candidates}
    # Before 1000 there is one rating: 5 stars, of item 5.
    assert by_item["5"] == {
        "item_id": "5",
        "genres": "Crime|War",
        "year": 1995.0,
        "mean_rating": 5.0,
        "like_rate": 1.0,
        "log_rating_count": np.log(2),
        "initial_score": 0.0,
        # Of user 1 nothing is known yet, and of item 5 a rating that is as expected.
        "genre_affinity": 0.0,
        "year_affinity": 0.0,
        "similar_items": 0.0,
        "similar_users": 0.0,
    }
    assert by_item["7"]["log_rating_count"] == 0.0
    clicked = {"5": 1.0, "6": 0.0, "7": 1.0}
    assert list(first.labels) == [clicked[c["item_id"]] for c in first.candidates]
    assert second.user["user_rating_count"] == 3.0


def test_history_by_hand():
    _, second = _lists(ROWS)
    assert [item["item_id"] for item in second.history] == ["5", "6", "7"]
    assert [item["rating"] for item in second.history] == [4.0, 2.0, 5.0]
    assert [item["liked"] for item in second.history] == [1.0, 0.0, 1.0]
    hours = [(6600 - then) / 3600 for then in (1000, 1100, 1200)]
    found = [item["log_hours_ago"] for item in second.history]
    assert found == pytest.approx(np.log1p(hours))
    # As of 6600: item 5 has 5 and 4 stars; all ratings before are 5 1 4 2 5.
    mean = (9 + 5 * 17 / 5) / 7
    assert second.history[0]["mean_rating"] == pytest.approx(mean)
    assert second.history[0]["like_rate"] == pytest.approx((2 + 5 * 3 / 5) / 7)


def test_affinity_by_hand():
    """As of 6600, with five ratings by two users that share the genres of all films."""
    _, second = _lists(ROWS)
    prior = 17 / 5
    mean5, mean6 = (9 + 5 * prior) / 7, (3 + 5 * prior) / 7
    mean7 = (5 + 5 * prior) / 6
    excess = [4 - mean5, 2 - mean6, 5 - mean7]
    own = np.array(excess) - sum(excess) / (3 + 5)
    taste = own.sum() / (3 + 5)  # of Crime and of War
    for item in second.candidates:
        assert item["genre_affinity"] == pytest.approx(taste)
        near = np.exp(-np.abs(item["year"] - np.array([1995, 1996, 1997])) / 5)
        expected = near @ own / (near.sum() + 3)
        assert item["year_affinity"] == pytest.approx(expected)
        # Nobody rated a candidate, so no item and no user speaks for it.
        assert item["similar_items"] == item["similar_users"] == 0.0


def test_initial_order_is_by_score_then_by_hash():
    rows = [(1, item, 5 - item % 2, 1000) for item in range(12)]
    (tied,) = _lists(rows)
    (own,) = chunks(rating_array(rows), 20, 50)
    by_hash = [str(item) for item in own.candidates["item"]]
    assert [c["item_id"] for c in tied.candidates] == by_hash
    bias = [0.0] * 40
    bias[3], bias[4] = 2.0, -1.0
    (scored,) = _lists(rows, item_bias=bias)
    ids = [c["item_id"] for c in scored.candidates]
    assert ids == ["3", *(i for i in by_hash if i not in "34"), "4"]
    assert scored.candidates[0]["initial_score"] == 2.0


times = st.integers(0, 4000)
logs = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 39)),
    st.tuples(st.integers(1, 5), times),
    max_size=60,
).map(lambda found: [(*pair, *rest) for pair, rest in found.items()])


def _encoded(rows):
    """(request_id, t_start) → bytes, for every list of every user."""
    made = [one for user in range(4) for one in _lists(rows, user)]
    return {(m.request_id, m.timestamp): encode_list(m, FEATURES) for m in made}


@settings(max_examples=60, deadline=None)
@given(logs, times, st.lists(st.integers(1, 5), min_size=60, max_size=60))
def test_later_ratings_change_no_byte_of_a_list(rows, moment, changes):
    """Ratings after a moment change; lists whose window ended before it stay."""
    changed = [
        (user, item, new if time > moment else rating, time)
        for (user, item, rating, time), new in zip(rows, changes, strict=False)
    ]
    before, after = _encoded(rows), _encoded(changed)
    assert before.keys() == after.keys()
    for (request_id, start), encoded in before.items():
        user = int(request_id.split("-")[0])
        window = [t for u, _, _, t in rows if u == user and start <= t <= start + 300]
        if max(window) <= moment:
            assert after[request_id, start] == encoded


@settings(max_examples=60, deadline=None)
@given(logs, times, st.data())
def test_labels_of_a_window_are_in_no_feature_of_it(rows, moment, data):
    """Whatever is rated from a moment on, features of lists begun there stay."""
    changed = [
        (u, i, data.draw(st.integers(1, 5)) if t >= moment else r, t)
        for u, i, r, t in rows
    ]
    for user in range(4):
        pairs = zip(_lists(rows, user), _lists(changed, user), strict=True)
        for one, other in pairs:
            if one.timestamp <= moment:
                assert one.candidates == other.candidates
                assert (one.user, one.history) == (other.user, other.history)


@settings(max_examples=30, deadline=None)
@given(logs, st.integers(1, 5), times)
def test_a_new_rating_of_another_user_touches_later_lists_only(rows, rating, moment):
    rows = [row for row in rows if row[0] != 0]
    before, after = _encoded(rows), _encoded([*rows, (0, 0, rating, moment)])
    for (request_id, start), encoded in before.items():
        if start <= moment:
            assert after[request_id, start] == encoded


@settings(max_examples=30, deadline=None)
@given(logs, st.randoms())
def test_order_of_rows_leaves_no_trace(rows, rng):
    shuffled = rows.copy()
    rng.shuffle(shuffled)
    assert _encoded(shuffled) == _encoded(rows)
