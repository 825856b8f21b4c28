"""Item statistics: hand-worked numbers, and a plain count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_logs import rating_array

from psad_tf.data.statistics import ItemStatistics

# user, item, rating, time
ROWS = [(1, 0, 5, 10), (2, 0, 3, 20), (1, 1, 4, 20), (3, 0, 1, 30)]


def test_by_hand():
    statistics = ItemStatistics(rating_array(ROWS))
    found = statistics.as_of(np.array([0, 1, 7]), moment=21)
    # Before 21: ratings 5, 3, 4, so the prior is 4 stars and 2/3 likes, weight 5.
    mean, likes = 4.0, 2 / 3
    expected = [
        [(5 + 3 + 5 * mean) / 7, (1 + 5 * likes) / 7, np.log(3)],
        [(4 + 5 * mean) / 6, (1 + 5 * likes) / 6, np.log(2)],
        [mean, likes, 0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_same_second_does_not_count():
    statistics = ItemStatistics(rating_array(ROWS))
    # Before 20 there is only the 5 of item 0.
    expected = [[5.0, 1.0, np.log(2)], [5.0, 1.0, 0.0]]
    np.testing.assert_allclose(statistics.as_of(np.array([0, 1]), 20), expected)


def test_before_everything_there_are_defaults():
    for rows in (ROWS, []):
        statistics = ItemStatistics(rating_array(rows))
        found = statistics.as_of(np.array([0, 1]), moment=10)
        assert found.tolist() == [[3.5, 0.5, 0.0]] * 2
    assert statistics.as_of(np.array([], int), 10).shape == (0, 3)


def _plain(rows, item, moment):
    """The same by counting rows."""
    before = [row for row in rows if row[3] < moment]
    if not before:
        return [3.5, 0.5, 0.0]
    prior = (
        np.mean([r for _, _, r, _ in before]),
        np.mean([r > 3 for *_, r, _ in before]),
    )
    own = [r for _, i, r, _ in before if i == item]
    count = len(own)
    mean = (sum(own) + 5 * prior[0]) / (count + 5)
    likes = (sum(r > 3 for r in own) + 5 * prior[1]) / (count + 5)
    return [mean, likes, np.log(1 + count)]


rows = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 3), st.integers(1, 5), st.integers(0, 9)
    )
)


@given(rows, st.integers(0, 10))
def test_as_counted_plainly(rows, moment):
    found = ItemStatistics(rating_array(rows)).as_of(np.arange(5), moment)
    expected = [_plain(rows, item, moment) for item in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(rows, rows, st.integers(0, 9))
def test_the_future_changes_no_bit(past, future, moment):
    past = [(*row[:3], min(row[3], moment - 1)) for row in past]
    future = [(*row[:3], moment + row[3]) for row in future]
    alone = ItemStatistics(rating_array(past)).as_of(np.arange(4), moment)
    with_future = ItemStatistics(rating_array(future + past[::-1]))
    assert with_future.as_of(np.arange(4), moment).tobytes() == alone.tobytes()


@pytest.mark.parametrize("moment", [0, 15, 25, 10**10])
def test_values_stay_in_their_domains(moment):
    mean, likes, log_count = (
        ItemStatistics(rating_array(ROWS)).as_of(np.arange(3), moment).T
    )
    assert ((1 <= mean) & (mean <= 5)).all()
    assert ((0 <= likes) & (likes <= 1)).all()
    assert (log_count >= 0).all()
