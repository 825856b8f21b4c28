"""What the plots of a bench share: points with intervals, colours, the legend."""

from collections.abc import Sequence

import numpy as np

from psad_tf.bench.report_words import measure_title
from psad_tf.bench.statistics import Interval
from psad_tf.report_page.style import Theme

MARKERS = "os^DvPX"
ACROSS = 54  # characters of a line of text across the whole plot
ROW = 0.2  # inches of a row of the legend


def draw_points(
    axes,
    theme: Theme,
    i: int,
    measure: str,
    at: Sequence[float],
    points: Sequence[Interval],
    is_horizontal: bool = False,
    line: str = "",
) -> None:
    """Draws a measure's means with their intervals.

    Args:
        i: The measure's number: its colour and its marker.
        at: Where the points stand on the other axis.
        is_horizontal: Whether means go along x.
        line: The style of the line between them; none by default.
    """
    means = [point.mean for point in points]
    x, y = (means, at) if is_horizontal else (at, means)
    axes.errorbar(
        x,
        y,
        **{"xerr" if is_horizontal else "yerr": reach(points)},
        fmt=MARKERS[i % len(MARKERS)],
        linestyle=line or "none",
        markersize=5,
        elinewidth=1.4,
        capsize=2,
        color=colour(theme, i),
        label=measure_title(measure),
    )


def reach(points: Sequence[Interval]) -> np.ndarray:
    """How far intervals reach down and up: `[2, points]`, 0 where unknown."""
    found = np.array([(p.mean - p.low, p.high - p.mean) for p in points])
    return np.nan_to_num(np.maximum(found.reshape(-1, 2).T, 0))


def shift(i: int, count: int) -> float:
    """How far the i-th of so many measures stands off its place."""
    return 0.2 * (i - (count - 1) / 2)


def colour(theme: Theme, i: int) -> str:
    """The colour of what comes i-th."""
    # The first one is the ink, which axes and zero lines have.
    colours = theme.parts[1:]
    return colours[i % len(colours)]


def finish(axes, is_simulated: bool) -> None:
    """The legend above, where it hides nothing; and what no plot may leave out.

    The figure grows by what the legend has of further rows.
    """
    if is_simulated:
        axes.set_title("simulated", loc="right", fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    widest = max(len(label) for label in labels) + 6  # and the handle
    columns = min(max(1, ACROSS // widest), 3)
    figure, further = axes.figure, (len(labels) - 1) // columns
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)
    figure.set_figheight(figure.get_figheight() + ROW * further)
