"""Plots of methods show their figures where they belong, and can be read."""

import numpy as np
import pytest
from drawn_plots import check_texts, drawn

from psad_tf.bench.method_plots import Chart, draw_methods, draw_scatter, point
from psad_tf.bench.statistics import Interval

FOUND = {"PRM": Interval(0.5, 0.25, 1.0), "PSAD-S": point(0.75)}
MANY = [f"Reranker with readout {i}" for i in range(15)]


def test_methods_stand_below_each_other_with_their_intervals():
    axes = drawn(draw_methods, Chart({"": FOUND}, "NDCG@10", line=0.5))

    assert [x.get_text() for x in axes.get_yticklabels()] == ["PRM", "PSAD-S"]
    points, _, (bars,) = axes.containers[0]
    assert list(points.get_xdata()) == [0.5, 0.75]
    assert list(points.get_ydata()) == [0, -1]
    ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
    assert ends == [[0.25, 1.0], [0.75, 0.75]]
    assert not axes.figure.legends and axes.get_title("right") == ""
    (dotted,) = (x for x in axes.lines if x.get_linestyle() == ":")
    assert list(dotted.get_xdata()) == [0.5, 0.5]


def test_a_method_that_lacks_in_a_series_keeps_its_line():
    series = {"64 lists": {"PRM": point(1.0)}, "128 lists": FOUND}
    axes = drawn(draw_methods, Chart(series, "milliseconds", is_simulated=True))

    assert [x.get_text() for x in axes.get_yticklabels()] == ["PRM", "PSAD-S"]
    first, second = (container[0].get_ydata() for container in axes.containers)
    assert list(first) == pytest.approx([0.1])
    assert list(second) == pytest.approx([-0.1, -1.1])
    (legend,) = axes.figure.legends
    assert [x.get_text() for x in legend.get_texts()] == ["64 lists", "128 lists"]
    assert axes.get_title("right") == "simulated"


def test_points_of_many_series_stay_by_their_line():
    series = {f"series {i}": {"a": point(i), "b": point(i)} for i in range(7)}
    axes = drawn(draw_methods, Chart(series, "of five"))
    places = np.array([container[0].get_ydata() for container in axes.containers])
    assert np.abs(places - [0, -1]).max() < 0.5
    low, high = axes.get_ylim()
    assert low < places.min() and places.max() < high


def test_a_scatter_plot_has_a_point_for_each_method():
    found = {"PRM": (point(0.7), FOUND["PRM"]), "PSAD-S": (point(0.8), point(0.75))}
    axes = drawn(draw_scatter, found, ["NDCG@10", "true utility"], True)

    places = [(c[0].get_xdata()[0], c[0].get_ydata()[0]) for c in axes.containers]
    assert places == [(0.7, 0.5), (0.8, 0.75)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("NDCG@10", "true utility")
    assert axes.get_title("right") == "simulated"


def test_no_two_of_many_methods_look_alike():
    found = {name: (point(0.7), point(0.5)) for name in MANY}
    axes = drawn(draw_scatter, found, ["x", "y"], False)
    looks = {(c[0].get_marker(), c[0].get_color()) for c in axes.containers}
    assert len(looks) == len(MANY)


def bars(low, high, count=1, **changes):
    values = np.geomspace(low, high, len(MANY))
    of_each = dict(zip(MANY, map(point, values), strict=True))
    series = {f"paper, data set {i}": of_each for i in range(count)}
    return draw_methods, Chart(series, "NDCG@10, as a test has it", **changes)


def scatter():
    found = {name: (point(0.01 * i), FOUND["PRM"]) for i, name in enumerate(MANY)}
    return draw_scatter, found, ["NDCG@10", "true utility"], True


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "case",
    [
        lambda: bars(-0.05, -0.001, is_simulated=True),
        lambda: bars(0.7, 1.3, 5),
        lambda: bars(0.8, 1.1, 2, is_log=True),
        lambda: bars(0.3, 4, 2, is_log=True),
        lambda: bars(0.5, 60, 3, is_log=True),
        lambda: bars(0.02, 300, 3, is_log=True),
        scatter,
    ],
    ids=["differences", "data sets", "ratios", "more", "times", "all times", "scatter"],
)
def test_no_text_hides_another_or_is_cut_off(case):
    draw, *data = case()
    axes = drawn(draw, *data)
    check_texts(axes, is_horizontal=draw is draw_methods)
    assert axes.bbox.height > axes.figure.bbox.height / 3
    low, high = axes.viewLim.intervalx
    assert sum(low <= place <= high for place in axes.get_xticks()) >= 2
