"""Affinity: each estimate by hand, the whole by plain loops, nothing of the future."""

import math

import numpy as np
import pytest
from drawn_logs import in_other_futures, log_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_logs import rating_array

from psad_tf.data.affinity import (
    Affinity,
    by_genre,
    by_items,
    by_users,
    by_year,
    similarity,
)
from psad_tf.data.log import Item, in_time_order
from psad_tf.data.residuals import Residuals

ITEMS = tuple(
    Item(str(n), f"Film {n}", genres, year)
    for n, (genres, year) in enumerate(
        [
            (("Crime", "War"), 1990),
            (("War",), 1995),
            (("Drama",), 0),
            (("Crime",), 1992),
            (("Drama", "War"), 1960),
        ]
    )
)
USERS = 4


def test_genres_by_hand():
    # Past items: a war film and a war crime, 2 and 1 stars above what was expected.
    own, past = np.array([2.0, 1.0]), np.array([[0, 1, 0], [1, 1, 0]])
    crime, war = 1 / (1 + 5), 3 / (2 + 5)
    candidates = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    found = by_genre(own, past, candidates)
    np.testing.assert_allclose(found, [crime, (crime + war) / 2, 0])


def test_years_by_hand():
    # The third past item has no year; the second candidate neither.
    found = by_year(
        np.array([2.0, -1.0, 5.0]), np.array([1990, 1995, 0]), np.array([1990, 0])
    )
    far = math.exp(-1)
    np.testing.assert_allclose(found, [(2 - far) / (1 + far + 3), 0])


def test_items_by_hand():
    found = by_items(np.array([2.0, -1.0]), np.array([[0.5, -0.25], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [(0.5 * 2 + 0.25) / (0.75 + 2), 0])


def test_users_by_hand():
    residuals = np.array([[1.0, -2.0, 3.0], [0.0, 0.0, 0.5]])
    is_known = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    # Everybody starts at 0.05, so the weights are 0.25, 0 (an opposite) and 0.05.
    found = by_users(residuals, is_known, np.array([0.2, -0.3, 0.0]))
    expected = [(0.25 + 0.05 * 3) / (0.3 + 1), 0.05 * 0.5 / (0.05 + 1)]
    np.testing.assert_allclose(found, expected)


def test_similarity_by_hand():
    a = np.array([[1.0, 2.0, 0.0, 9.0]])
    b = np.array([[2.0, -1.0, 4.0, 0.0], [3.0, 6.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    a_is_known = np.array([[1.0, 1.0, 0.0, 1.0]])
    b_is_known = np.array([[1.0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    # Both are known in the first two columns: at right angles, parallel, and never.
    found = similarity(a, b, a_is_known, b_is_known, common=2.0)
    np.testing.assert_allclose(found, [[0.0, 1 * 2 / (2 + 2), 0.0]])
    doubled = similarity(a, b, a_is_known, b_is_known, common=6.0)
    np.testing.assert_allclose(doubled, [[0.0, 2 / 8, 0.0]])


def _affinity(rows) -> Affinity:
    return Affinity(in_time_order(rating_array(rows)), USERS, ITEMS)


def _plain(rows, user, candidate, moment):
    """The four estimates for one candidate, pair by pair."""
    residuals = Residuals(in_time_order(rating_array(rows)), USERS, len(ITEMS))
    table, _ = residuals.of(np.arange(len(ITEMS)), moment, residuals.means(moment))
    known = {(u, i): table[i, u] for u, i, _, t in rows if t < moment}
    own = {i: e for (u, i), e in known.items() if u == user}

    def correlation(pairs, common):
        norm = math.sqrt(sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs))
        shrink = len(pairs) / (len(pairs) + common)
        return sum(a * b for a, b in pairs) / norm * shrink if norm > 1e-12 else 0.0

    taste = []
    for genre in ITEMS[candidate].genres:
        of_genre = [e for i, e in own.items() if genre in ITEMS[i].genres]
        taste.append(sum(of_genre) / (len(of_genre) + 5))
    year, near = ITEMS[candidate].year, {}
    for i in own:
        if year and ITEMS[i].year:
            near[i] = math.exp(-abs(year - ITEMS[i].year) / 5)
    alike = {
        i: correlation(
            [
                (known[u, candidate], known[u, i])
                for u in range(USERS)
                if {(u, candidate), (u, i)} <= known.keys()
            ],
            100,
        )
        for i in own
    }
    top = bottom = 0.0
    for other in range(USERS):
        if (other, candidate) in known:
            pairs = [(own[i], known[other, i]) for i in own if (other, i) in known]
            weight = max(0.0, correlation(pairs, 50) + 0.05)
            top += weight * known[other, candidate]
            bottom += weight
    return [
        sum(taste) / len(taste),
        sum(w * own[i] for i, w in near.items()) / (sum(near.values()) + 3),
        sum(w * own[i] for i, w in alike.items())
        / (sum(abs(w) for w in alike.values()) + 2),
        top / (bottom + 1),
    ]


LOGS = log_rows(USERS, len(ITEMS))


@settings(deadline=None)
@given(LOGS, st.integers(0, USERS - 1), st.integers(0, 10))
def test_as_plain_loops_compute_it(rows, user, moment):
    rated = {i for u, i, _, t in rows if u == user and t < moment}
    candidates = [i for i in range(len(ITEMS)) if i not in rated]
    found = _affinity(rows).as_of(user, np.array(candidates, int), moment)
    assert found.shape == (len(candidates), len(Affinity.NAMES))
    expected = [_plain(rows, user, item, moment) for item in candidates]
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=1e-9)


@settings(deadline=None)
@given(in_other_futures(LOGS))
def test_the_future_changes_no_bit(drawn):
    logs, moment = drawn
    for user in range(USERS):
        rated = {i for u, i, _, t in logs[0] if u == user and t < moment}
        candidates = np.array([i for i in range(5) if i not in rated], int)
        found = {
            _affinity(rows).as_of(user, candidates, moment).tobytes() for rows in logs
        }
        assert len(found) == 1


@pytest.mark.parametrize("rows", [[], [(1, 0, 5, 3), (1, 1, 1, 4)]])
def test_a_user_without_ratings_fits_everything_equally_but_by_others(rows):
    found = _affinity(rows).as_of(0, np.array([0, 1, 2]), 9)
    assert not found[:, :3].any()
    # Others speak: item 0 was liked, item 1 was not, nobody knows item 2.
    liked, disliked, unknown = found[:, 3]
    assert unknown == 0
    assert liked > 0 > disliked if rows else liked == disliked == 0
