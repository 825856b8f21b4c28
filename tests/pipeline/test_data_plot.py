"""The plot of drift and skew, read back from the figure."""

from matplotlib.figure import Figure

from psad_tf.report_page.style import LIGHT
from tfx_pipeline.report.data_plot import draw_bars, draw_distances


def check(name, group, value, bound, passed):
    made = {"name": name, "group": group, "value": value}
    return made | {"bound": bound, "passed": passed}


CHECKS = [
    check("list_length", "all lists", 20.0, 2.0, True),
    check("drift", "user_age", 0.1, 0.7, True),
    check("drift", "user_gender", 0.4, 0.3, False),
]


def test_there_is_a_plot_of_what_was_measured():
    (drift,) = draw_distances(CHECKS)
    assert drift.title.startswith("Drift")
    assert draw_distances(CHECKS[:1]) == []


def test_bars_are_the_values_and_marks_the_bounds():
    figure = Figure()
    draw_bars(figure, LIGHT, CHECKS[1:])
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["user_age", "user_gender"]
    passed, failed = axes.containers
    assert [bar.get_width() for bar in passed] == [0.1]
    assert [bar.get_width() for bar in failed] == [0.4]
    assert passed.get_label() == "passed" and failed.get_label() == "failed"
    (marks,) = axes.collections
    assert marks.get_offsets().tolist() == [[0.7, 1], [0.3, 0]]
