"""What the plots draw, read back from the figures."""

import base64
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from psad_tf.report_page import style
from psad_tf.report_page.style import DARK, LIGHT, picture
from tfx_pipeline.report import plots
from tfx_pipeline.report.results import Comparison, Interval


def compared(label, lists, served=0.8, partition="age_group"):
    means = {
        "served": Interval(served, served - 0.02, served + 0.01),
        "initial": Interval(0.7, 0.65, 0.75),
        "random": Interval(0.6, 0.6, 0.6),
    }
    return Comparison(partition, label, lists, means if lists else {}, {})


GROUPS = [compared("all lists", 9, partition="all"), compared("0-24", 4, served=0.9)]


def drawn(draw, *data) -> list:
    figure = Figure()
    draw(figure, LIGHT, *data)
    return figure.axes


def test_groups_show_means_with_their_own_intervals():
    (axes,) = drawn(plots.draw_slices, [*GROUPS, compared("50+", 0)])

    # A group without lists has no row; first comes on top.
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "all lists (9)",
        "age group: 0-24 (4)",
    ]
    by_label = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    assert list(by_label) == ["Initial order", "Reranked (served)"]
    points, _, (bars,) = by_label["Reranked (served)"]
    assert points.get_xdata() == pytest.approx([0.8, 0.9])
    assert points.get_ydata()[0] > points.get_ydata()[1]
    ends = [segment[:, 0] for segment in bars.get_segments()]
    assert np.allclose(ends, [[0.78, 0.81], [0.88, 0.91]])


def test_a_mean_outside_of_its_interval_by_rounding_is_drawn():
    group = compared("x", 1)
    group.means["served"] = Interval(0.8, 0.8 + 1e-16, 0.8)

    assert drawn(plots.draw_slices, [group])


def test_history_shows_how_many_lists_each_bin_has():
    bins = [compared("0", 3), compared("1-4", 0), compared("5+", 8)]

    above, below = drawn(plots.draw_history, bins)

    assert [bar.get_height() for bar in below.patches] == [3, 0, 8]
    assert [t.get_text() for t in below.get_xticklabels()] == ["0", "1-4", "5+"]
    points = above.containers[0][0]
    # The points of a bin stand over its bar, the empty bin has none.
    assert points.get_xdata() == pytest.approx([0, 2], abs=0.3)


def test_every_loss_part_is_drawn_and_the_kept_epoch_marked():
    history = {"loss": [3, 2], "val_loss": [3, 3], "scorer_loss": [1, 1], "lr": [1, 1]}

    (axes,) = drawn(plots.draw_losses, history, 2)

    lines = {line.get_label(): line for line in axes.lines}
    assert {"sum", "scorer", "kept: epoch 2"} <= set(lines)
    assert lines["sum"].get_xydata().tolist() == [[1, 3], [2, 2]]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in dashed] == [[3, 3]]
    assert list(lines["kept: epoch 2"].get_xdata()) == [2, 2]


def test_validation_beside_the_initial_order():
    (axes,) = drawn(plots.draw_validation, {"val_ndcg_at_10": [0.7, 0.8]}, 2, 0.75)

    scorer, initial, _ = axes.lines
    assert list(scorer.get_ydata()) == [0.7, 0.8]
    assert list(initial.get_ydata()) == [0.75, 0.75]
    assert axes.get_xlabel() == "epoch"


@pytest.mark.parametrize("values", [[3, 3, 20], [0, 5, 1000]])
def test_every_list_is_counted_once(values):
    (axes,) = drawn(plots.draw_counts, values, "candidates in the list")

    assert sum(bar.get_height() for bar in axes.patches) == len(values)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("candidates in the list", "lists")


def test_fates_from_top_to_bottom():
    (axes,) = drawn(plots.draw_fates, {"train": 5, "one_label_only": 2})

    widths = {
        label.get_text(): bar.get_width()
        for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }
    assert widths == {"one label only": 2, "train": 5}


def test_a_ranker_has_one_colour_in_a_theme_and_its_own_marker():
    for theme in (LIGHT, DARK):
        assert len(set(theme.rankers.values())) == len(theme.rankers)
    assert set(LIGHT.rankers) == set(DARK.rankers) > set(plots.PLOTTED)
    assert set(plots.MARKERS) == set(plots.PLOTTED)
    assert len(set(plots.MARKERS.values())) == len(plots.MARKERS)


LOSSES = {"loss": [3.0, 2.0], "pointwise_loss": [1.0, 0.5], "listwise_loss": [2.0, 1.5]}


@pytest.mark.parametrize(
    "case",
    [
        (plots.draw_slices, GROUPS),
        (plots.draw_fates, {"train": 5}),
        (plots.draw_losses, LOSSES, 1),
    ],
)
def test_recoloured_a_plot_is_as_it_were_drawn_in_dark(case):
    draw, *data = case
    light, dark = (style.drawn(draw, data, theme) for theme in (LIGHT, DARK))
    assert LIGHT.ink in light and LIGHT.ink not in style.darkened(light)
    assert named_in_turn(style.darkened(light)) == named_in_turn(dark)


def named_in_turn(svg):
    """The plot with numbers for the names of its parts, some of which are digests."""
    for number, name in enumerate(re.findall(r'id="(.+?)"', svg)):
        svg = re.sub(rf"\b{re.escape(name)}\b", f"part {number}", svg)
    return svg


def test_pictures_are_the_same_bytes_each_time_and_load_nothing():
    first, second = (
        picture(plots.draw_fates, {"train": 5}, title="t", caption="c")
        for _ in range(2)
    )

    assert first == second
    assert first.light != first.dark
    kind, _, content = first.dark.partition(",")
    assert kind == "data:image/svg+xml;base64"
    svg = base64.b64decode(content).decode()
    assert DARK.background in svg
    assert 'xlink:href="http' not in svg and "@import" not in svg
