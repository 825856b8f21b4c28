"""Figures worked out by hand, and properties that hold for any sample."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from psad_tf.bench.statistics import (
    compare,
    holm,
    mean_interval,
    over_seeds,
    signed_rank,
)

SAMPLES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=30)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_the_interval_is_that_of_the_t_table():
    # Deviation 2, standard error 2 / sqrt(16) = 0.5, t(15) = 2.1314 at 97.5 %.
    values = np.tile([-1.0, 1.0], 8) * 2 * math.sqrt(15 / 16)

    found = mean_interval(values)

    assert found == pytest.approx((0, -2.1314 / 2, 2.1314 / 2), abs=1e-4)


def test_equal_values_leave_no_doubt_and_one_value_says_nothing_of_it():
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)
    mean, low, high = mean_interval([0.5])
    assert mean == 0.5 and math.isnan(low) and math.isnan(high)


def test_seeds_are_summed_up_with_n_minus_one():
    found = over_seeds([1, 2, 3])

    # Standard error 1 / sqrt(3), t(2) = 4.3027 at 97.5 %.
    assert (found.mean, found.sd, found.count) == (2, 1, 3)
    assert (found.low, found.high) == pytest.approx((2 - 2.4842, 2 + 2.4842), abs=1e-4)
    assert over_seeds([0.7])[:2] == (0.7, 0)


def test_lists_are_averaged_over_seeds_before_they_are_compared():
    first = [[0.6, 0.4, 0.9], [0.8, 0.6, 0.9]]
    second = [[0.5, 0.5, 0.9], [0.5, 0.5, 0.9]]

    found = compare(first, second)

    # Differences by list: 0.2, 0, 0; by seed: 0, 0.4 / 3.
    assert found.over_lists == mean_interval([0.2, 0.0, 0.0])._replace(
        mean=pytest.approx(0.2 / 3),
        low=pytest.approx(mean_interval([0.2, 0, 0]).low),
        high=pytest.approx(mean_interval([0.2, 0, 0]).high),
    )
    by_seed = mean_interval([0.0, 0.4 / 3])
    assert list(found.over_seeds) == pytest.approx(list(by_seed))
    assert (found.lists, found.ties) == (3, 2)


def test_seeds_that_cancel_out_make_a_tie_in_spite_of_rounding():
    # (0.1 + 0.2 - 0.3) is 5.6e-17 in floats.
    found = compare([[0.1, 1.0], [0.2, 1.0], [-0.3, 1.0]], [[0.0, 0.0]])

    assert found.ties == 1


def test_what_draws_nothing_is_compared_with_each_seed():
    runs, fixed = [[0.5, 0.7], [0.7, 0.9]], [[0.4, 0.4]]

    found = compare(runs, fixed)

    assert found.over_lists.mean == pytest.approx(0.3)
    assert list(found.over_seeds) == pytest.approx(list(mean_interval([0.2, 0.4])))


def test_the_signed_ranks_of_five_gains_against_all_sign_patterns():
    # All above 0: of 2^5 sign patterns only this and its mirror are as extreme.
    p_value, effect, ties = signed_rank([0.1, 0.2, 0.3, 0.4, 0.5])

    assert p_value == pytest.approx(2 / 32)
    assert (effect, ties) == (1, 0)


def test_the_effect_by_hand():
    # Ranks of |d|: 0 is 1, 1 is 2, -2 is 3, 3 and 3 share 4.5.
    _, effect, ties = signed_rank([0, 1, -2, 3, 3])

    assert effect == pytest.approx((2 + 4.5 + 4.5 - 3) / (2 + 4.5 + 4.5 + 3))
    assert ties == 1


def test_ties_make_a_difference_less_sure_but_not_its_sign():
    # Losses are larger than gains here; by Pratt a zero outranks nothing.
    gains = np.linspace(0.1, 0.3, 30)
    losses = -np.linspace(0.4, 0.6, 10)
    without = signed_rank([*gains, *losses])
    with_ties = signed_rank([*gains, *losses, *np.zeros(200)])

    assert without[2] == 0 and with_ties[2] == 200
    # 200 zeros shift all ranks alike, so counting matters more than size.
    assert with_ties[1] == pytest.approx((30 - 10) / 40, abs=0.1)
    assert without[1] < with_ties[1]


def test_nothing_but_ties_is_no_evidence():
    assert signed_rank([0.0, 1e-12, -1e-12]) == (1.0, 0.0, 3)


@settings(deadline=None, max_examples=20)  # small samples take every permutation
@given(SAMPLES)
def test_the_mirror_image_has_the_same_p_and_the_opposite_effect(values):
    p_value, effect, ties = signed_rank(values)
    mirrored = signed_rank([-x for x in values])

    assert mirrored == pytest.approx((p_value, -effect, ties))
    assert 0 <= p_value <= 1 and -1 <= effect <= 1


@settings(deadline=None)
@given(SAMPLES.filter(lambda values: np.std(values) > 1e-4))
def test_the_interval_excludes_0_just_where_the_t_test_does(values):
    mean, low, high = mean_interval(values)
    p_value = stats.ttest_1samp(values, 0).pvalue

    assert low < mean < high
    assert (low > 0 or high < 0) == (p_value < 0.05) or abs(p_value - 0.05) < 1e-6


def test_holm_by_hand():
    # In order 0.01, 0.02, 0.04, 0.9: times 4, 3, 2, 1, never falling.
    assert holm([0.9, 0.02, 0.01, 0.04]) == pytest.approx([0.9, 0.06, 0.04, 0.08])
    # 3 * 0.02 = 0.06 lifts 2 * 0.025 = 0.05.
    assert holm([0.02, 0.025, 0.5]) == pytest.approx([0.06, 0.06, 0.5])
    assert holm([0.6, 0.7]) == [1, 1]


@settings(deadline=None)
@given(P_VALUES)
def test_holm_lies_between_the_raw_values_and_bonferroni(values):
    corrected = np.array(holm(values))
    raw = np.array(values)

    assert (corrected >= raw).all()
    assert (corrected <= np.minimum(raw * len(raw), 1) + 1e-15).all()
    assert (np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("values", [[0.5, 1.1], [-0.1], [math.nan]])
def test_what_is_no_p_value_is_refused(values):
    with pytest.raises(ValueError, match="p_values=.*in \\[0, 1\\]"):
        holm(values)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([[1, 2]], [[1, 2, 3]], "same lists"),
        ([[1, 2]] * 2, [[1, 2]] * 3, "same seeds"),
        ([1, 2], [[1, 2]], "first has shape"),
        ([[1, math.nan]], [[1, 2]], r"first is not finite at \[0, 1\]"),
        ([[]], [[]], "at least one value"),
    ],
)
def test_samples_that_do_not_fit_are_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        compare(first, second)
