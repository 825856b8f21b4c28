"""Residuals: hand-worked numbers, plain loops, and nothing from the future."""

import numpy as np
from drawn_logs import in_other_futures, log_rows
from hypothesis import given
from hypothesis import strategies as st
from raw_logs import rating_array

from psad_tf.data.log import in_time_order
from psad_tf.data.residuals import Residuals
from psad_tf.data.statistics import ItemStatistics

USERS, ITEMS = 4, 5
# user, item, rating, time
ROWS = [(1, 0, 5, 10), (2, 0, 3, 20), (1, 1, 4, 20), (3, 0, 1, 30)]


def _residuals(rows) -> Residuals:
    return Residuals(in_time_order(rating_array(rows)), USERS, ITEMS)


def _of_all(rows, moment):
    residuals = _residuals(rows)
    return residuals.of(np.arange(ITEMS), moment, residuals.means(moment))


def test_by_hand():
    # Before 21: ratings 5, 3, 4, so the prior is 4 stars with a weight of 5.
    items = [(5 + 3 + 20) / 7, (4 + 20) / 6]  # 4 and 4
    users = {1: (1 + 0) / 7, 2: -1 / 6}
    found, is_known = _of_all(ROWS, 21)
    assert items == [4.0, 4.0]
    expected = np.zeros((ITEMS, USERS))
    expected[0, 1], expected[0, 2] = 5 - 4 - users[1], 3 - 4 - users[2]
    expected[1, 1] = 4 - 4 - users[1]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.argwhere(is_known).tolist() == [[0, 1], [0, 2], [1, 1]]


def test_the_same_second_does_not_count():
    residuals = _residuals(ROWS)
    assert residuals.rated(1, 20).tolist() == [0]
    assert residuals.rated(1, 21).tolist() == [0, 1]
    assert residuals.rated(3, 30).tolist() == []


def test_before_everything_there_is_nothing():
    for rows in (ROWS, []):
        means = _residuals(rows).means(10)
        assert means.item.tolist() == [3.5] * ITEMS
        assert means.user.tolist() == [0.0] * USERS
        found, is_known = _of_all(rows, 10)
        assert not found.any() and not is_known.any()


LOGS = log_rows(USERS, ITEMS)


@given(LOGS, st.integers(0, 10))
def test_as_plain_loops_compute_them(rows, moment):
    means = _residuals(rows).means(moment)
    by_item = ItemStatistics(rating_array(rows)).as_of(np.arange(ITEMS), moment)[:, 0]
    np.testing.assert_allclose(means.item, by_item, atol=1e-12)
    past = [row for row in rows if row[3] < moment]
    found, is_known = _of_all(rows, moment)
    for user in range(USERS):
        excess = {i: r - by_item[i] for u, i, r, _ in past if u == user}
        mean = sum(excess.values()) / (len(excess) + 5)
        for item in range(ITEMS):
            assert is_known[item, user] == (item in excess)
            expected = excess[item] - mean if item in excess else 0.0
            np.testing.assert_allclose(found[item, user], expected, atol=1e-12)


@given(in_other_futures(LOGS))
def test_the_future_changes_no_bit(drawn):
    logs, moment = drawn
    found = {tuple(x.tobytes() for x in _of_all(rows, moment)) for rows in logs}
    assert len(found) == 1
