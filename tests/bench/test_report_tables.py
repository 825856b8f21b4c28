"""What is compared with what, and how results are kept."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_results import BASE, LISTS, STUDY, interaction, of_kind, result

from psad_tf.bench import statistics
from psad_tf.bench.report_groups import ACTIVE, ALL, OTHERS, active_lists
from psad_tf.bench.report_tables import build_tables
from psad_tf.errors import InputError


def test_rows_are_compared_with_their_topics_reference():
    position, loss = build_tables([STUDY[1], STUDY[0], *STUDY[2:]])

    assert [row.variant for row in position.rows] == ["default", "table"]
    default, table = position.rows
    assert not default.against
    paired = table.against["student_ndcg"]
    assert paired.over_lists.mean == pytest.approx(-0.02)
    assert paired.effect == -1 and paired.lists == LISTS
    assert loss.rows[1].against["teacher_ndcg"].over_lists.mean == pytest.approx(0.03)
    # Seed 0 adds nothing, seed 1 adds 0.01 to half of the lists.
    mean = default.means["student_ndcg"]
    assert (mean.mean, mean.sd) == pytest.approx((0.5525, 0.005 / np.sqrt(2)))
    assert default.kept == pytest.approx(0.5525 / 0.6525)


def test_p_values_are_corrected_over_topics_within_one_measure():
    tables = build_tables(STUDY)

    raw = [t.rows[1].against["student_ndcg"].p_value for t in tables]
    corrected = [t.rows[1].p_holm["student_ndcg"] for t in tables]
    assert corrected == pytest.approx(statistics.holm(raw))
    # Another data set is another family.
    other = of_kind("study", STUDY[:2], dataset="click_world")
    assert build_tables([*STUDY[:2], *other])[0].rows[1].p_holm[
        "student_ndcg"
    ] == pytest.approx(raw[0])


def test_only_seeds_of_both_are_paired():
    more = result("table", seeds=(1, 2, 3))
    (table,) = build_tables([result("default", seeds=(0, 1)), more])

    paired = table.rows[1].against["student_ndcg"]
    # Under seed 1 they are equal.
    assert paired.over_lists.mean == 0 and np.isnan(paired.over_seeds.low)
    assert table.rows[1].means["student_ndcg"].count == 3


def test_measures_of_whole_runs_are_not_those_of_a_group():
    timed = [
        replace(r, per_run={"seconds_a_step": [0.25, 0.75]}) for r in interaction()
    ]
    tables = build_tables(timed)

    assert tables[0].rows[0].means["seconds_a_step"].mean == 0.5
    assert tables[0].measures[-1] == "seconds_a_step"
    assert "seconds_a_step" not in tables[1].measures


def test_what_draws_nothing_is_paired_with_every_seed():
    initial = result("initial", -0.1, seeds=())
    (table,) = build_tables([result("default"), initial])

    paired = table.rows[1].against["student_ndcg"]
    assert paired.over_seeds.mean == pytest.approx(-0.1 - 0.0025)
    assert paired.over_seeds.low < paired.over_seeds.high


def test_active_users_by_their_longest_history():
    # Ten users with two lists each; the longest histories are those of 3 and 8.
    user = np.repeat(np.arange(10), 2)
    activity = np.where(np.arange(LISTS) == 7, 40, user)
    activity[16] = 41
    lists = {"user": user, "activity": activity}

    chosen = active_lists(result("default", lists=lists))
    assert user[chosen].tolist() == [3, 3, 8, 8]
    # Level with the last of the fifth: in it, too.
    lists["activity"] = np.where(user == 5, 40, activity)
    assert set(user[active_lists(result("default", lists=lists))]) == {3, 5, 8}


def test_the_interaction_bench_has_a_table_for_each_group():
    tables = build_tables(interaction())

    assert {t.group: t.lists for t in tables} == {ALL: 20, ACTIVE: 4, OTHERS: 16}
    active = tables[1].rows[0].over_lists["student_ndcg"]
    assert active.mean == pytest.approx(BASE[-4:].mean() + 0.01 / 2 / 2)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([*STUDY, STUDY[1]], "position / table is there twice"),
        (STUDY[1:2], "compared with 'default', of which there is no result"),
        (
            [STUDY[0], result("x").restricted(np.arange(LISTS) > 0)],
            r"x has reference and number of lists \('default', 19\)",
        ),
        ([STUDY[0], result("x", seeds=(7,))], r"seeds \[7\].*\[0, 1\]"),
        (of_kind("interaction", STUDY[:2]), "`lists` lacks user, activity"),
    ],
)
def test_results_that_do_not_fit_are_refused(results, message):
    with pytest.raises(InputError, match=message):
        build_tables(results)


def test_arrays_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"'seconds' \(3,\); with 2 seeds.*\(2,\)"):
        result("default", per_run={"seconds": [1, 2, 3]})
    with pytest.raises(ValueError, match="bench='guess'; it must be one of"):
        result("default", bench="guess")
