"""Plots with a line, or a point, for each method."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from psad_tf.bench.plot_parts import ACROSS, draw_points, finish, shift
from psad_tf.bench.statistics import Interval
from psad_tf.report_page.style import Theme

# Inches for each method and for the axis; of a scatter plot without its legend.
LINE, AROUND, SCATTER = 0.27, 0.9, 3.8


@dataclass(frozen=True)
class Chart:
    """Figures of methods.

    Args:
        series: Name to method to its figure; a series named "" is not in the legend.
        label: What the figures are.
        is_simulated: Whether the clicks are.
        line: Where the value stands that others are read against.
        is_log: Whether ratios, not differences, are equally far apart.
    """

    series: Mapping[str, Mapping[str, Interval]]
    label: str
    is_simulated: bool = False
    line: float | None = None
    is_log: bool = False

    @property
    def methods(self) -> list[str]:
        """In the order they come, each once."""
        return list(dict.fromkeys(m for found in self.series.values() for m in found))


def point(value: float) -> Interval:
    """A figure whose interval is not known."""
    return Interval(value, float("nan"), float("nan"))


def draw_methods(figure: Figure, theme: Theme, chart: Chart) -> None:
    """A line for each method, from the top down; the figure becomes as high as needed.

    Unknown ends of intervals (NaN) are not drawn.
    """
    axes, names = figure.subplots(), chart.methods
    count = len(chart.series)
    figure.set_figheight(AROUND + LINE * max(1, count / 2.5) * len(names))
    places = {name: -i for i, name in enumerate(names)}
    for i, (series, found) in enumerate(chart.series.items()):
        # However many there are, points stay nearer to their line than to another.
        off = shift(i, count) * min(1, 3.5 / count)
        at = [places[name] - off for name in found]
        draw_points(axes, theme, i, series, at, [*found.values()], is_horizontal=True)
    if chart.line is not None:
        axes.axvline(chart.line, color=theme.ink, linewidth=0.8, linestyle=":")
    axes.set_yticks(list(places.values()), names, fontsize=9)
    axes.set_ylim(0.6 - len(names), 0.6)
    if chart.is_log:
        _use_log(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_xlabel(textwrap.fill(chart.label, ACROSS - 10))
    finish(axes, chart.is_simulated)


def _use_log(axes) -> None:
    """As many numbers along x as have room."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    decades = math.log10(high / low)
    steps = (1, 2, 3, 5) if decades < 1.3 else (1, 3) if decades < 2.5 else (1,)
    locator = LogLocator(subs=steps, numticks=12)
    if decades < 0.6:
        locator = MaxNLocator(4, steps=[1, 2, 5, 10])
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_scatter(
    figure: Figure,
    theme: Theme,
    points: Mapping[str, tuple[Interval, Interval]],
    labels: Sequence[str],
    is_simulated: bool,
) -> None:
    """A point for each method, with an interval upwards.

    Args:
        points: Method to what is drawn along x and along y.
        labels: Of x and of y.
    """
    axes = figure.subplots()
    figure.set_figheight(SCATTER)
    for i, (name, (x, y)) in enumerate(points.items()):
        draw_points(axes, theme, i, name, [x.mean], [y])
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    finish(axes, is_simulated)
