"""Plots show what the tables say, and no text of theirs hides another."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_plots import check_texts, drawn
from made_up_results import STUDY, hyperparameters, interaction, result

from psad_tf.bench import plots
from psad_tf.bench.report_groups import ACTIVE, ALL
from psad_tf.bench.report_tables import build_tables

BRANCHES = ["student_ndcg", "teacher_ndcg"]
LONG = "an answer of many words, as printed, each of its own"


def test_the_forest_shows_differences_with_their_intervals():
    tables = build_tables(STUDY)
    axes = drawn(plots.draw_forest, tables, ["student_ndcg"])

    assert [x.get_text() for x in axes.get_yticklabels()] == ["table", "softmax"]
    points = axes.containers[0][0]
    assert points.get_xdata() == pytest.approx([-0.02, 0.03])
    # Each topic's heading is a line above its variants, the first topic at the top.
    headings = [(x.get_text(), x.get_position()[1]) for x in axes.texts]
    assert headings == [
        ("position, against default", -0.5),
        ("loss, against default", -2.5),
    ]
    assert list(points.get_ydata()) == [-1.5, -3.5]
    assert axes.get_title("right") == ""


def test_a_forest_of_one_topic_needs_no_heading():
    axes = drawn(plots.draw_forest, build_tables(STUDY[:2]), ["student_ndcg"])
    assert not axes.texts and axes.get_xlabel() == "difference to default"


def test_a_forest_leaves_out_what_has_not_been_measured():
    utility = {"utility": np.ones((1, 20))}
    best = replace(result("best order", seeds=()), per_list=utility)
    others = [
        replace(r, per_list={"ndcg": r.per_list["student_ndcg"], "utility": other})
        for r in STUDY[:2]
        for other in [np.ones((2, 20))]
    ]
    tables = build_tables([*others, best])
    for measure, rows in (("ndcg", ["table"]), ("utility", ["table", "best order"])):
        axes = drawn(plots.draw_forest, tables, [measure])
        assert [x.get_text() for x in axes.get_yticklabels()] == rows


def test_lines_are_ordered_by_value_and_marked():
    (table,) = build_tables(hyperparameters())
    axes = drawn(plots.draw_lines, table, ["student_utility"])

    assert [x.get_text() for x in axes.get_xticklabels()] == ["1", "2", "10"]
    assert axes.get_title("right") == "simulated"
    (dotted,) = (x for x in axes.lines if x.get_linestyle() == ":")
    assert list(dotted.get_xdata()) == [1, 1]


def test_bars_stand_for_means_of_their_group():
    tables = [t for t in build_tables(interaction()) if t.group != ALL]
    axes = drawn(plots.draw_groups, tables, "student_ndcg")

    heights = [bar.get_height() for bar in axes.patches]
    expected = [
        t.rows[i].over_lists["student_ndcg"].mean for i in (0, 1) for t in tables
    ]
    assert heights == pytest.approx(expected)
    assert axes.get_xticklabels()[0].get_text() == f"{ACTIVE}\n(4 lists)"


def wordy(results, topics=1, variants=2, **changes):
    """The results under long names, each topic several times, each answer, too."""
    first, *others = (replace(r, **changes) for r in results)
    return [
        replace(r, topic=f"{LONG}? {t}", variant=f"{LONG} {v}", reference=f"{LONG} 0")
        for t in range(topics)
        for v, r in enumerate([first, *others * variants])
    ]


def forest(topics):
    tables = build_tables(wordy(STUDY[:2], topics, 5, dataset="click_world"))
    return plots.draw_forest, tables, BRANCHES


def groups():
    tables = build_tables(wordy(interaction(), variants=3))
    return plots.draw_groups, [t for t in tables if t.group != ALL], BRANCHES[1]


def lines():
    found = [result(f"{v:g}", v / 100, value=v) for v in (1, 0.25, 0.5, 2, 20, 100)]
    found = [replace(r, topic=LONG, reference="1") for r in found]
    (table,) = build_tables(found)
    return plots.draw_lines, table, BRANCHES


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "case",
    [lambda: forest(1), lambda: forest(6), groups, lines],
    ids=["forest", "forest of topics", "groups", "lines"],
)
def test_no_text_hides_another_or_is_cut_off(case):
    draw, *data = case()
    check_texts(drawn(draw, *data), is_horizontal=draw is plots.draw_forest)
