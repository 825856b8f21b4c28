"""The plots of a bench: each draws on a figure, in the colours of a theme."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from psad_tf.bench.plot_parts import ACROSS, colour, draw_points, finish, reach, shift
from psad_tf.bench.report_tables import Table
from psad_tf.bench.report_words import measure_title
from psad_tf.bench.statistics import Interval, Paired
from psad_tf.report_page.style import Theme

BESIDE = 24  # characters of a line of text beside the axes
# Inches of a forest: for each line, and for the axis and the legend together.
LINE, AROUND = 0.36, 1.2


def draw_forest(
    figure: Figure, theme: Theme, tables: Sequence[Table], measures: Sequence[str]
) -> None:
    """The differences to the reference of every variant, with intervals over lists.

    The figure becomes as high as they need.

    Args:
        tables: Of one data set and group; their variants stand below each other.
        measures: A colour each.
    """
    axes = figure.subplots()
    lines = list(_lines(tables, measures))
    heights = np.array([line.height for line in lines])
    places = heights / 2 - np.cumsum(heights)
    rows = [x for x in zip(lines, places, strict=True) if x[0].against]
    figure.set_figheight(AROUND + LINE * heights.sum())
    for i, measure in enumerate(measures):
        found = [(p, x.against[measure]) for x, p in rows if measure in x.against]
        at = [place - shift(i, len(measures)) for place, _ in found]
        points = [paired.over_lists for _, paired in found]
        draw_points(axes, theme, i, measure, at, points, is_horizontal=True)
    axes.axvline(0, color=theme.ink, linewidth=0.8)
    axes.set_yticks([p for _, p in rows], [line.text for line, _ in rows], fontsize=9)
    axes.set_ylim(-heights.sum(), 0)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    for line, place in zip(lines, places, strict=True):
        if not line.against:
            _draw_heading(axes, theme, line.text, place)
    reference = "the named reference" if len(tables) > 1 else tables[0].reference
    axes.set_xlabel(textwrap.fill(f"difference to {reference}", BESIDE + 10))
    finish(axes, any(table.is_simulated for table in tables))


class _Line(NamedTuple):
    """A line of a forest: a variant, or the heading of a topic.

    Args:
        text: Beside the axes, or the heading across the plot; wrapped.
        against: Measure to the comparison with the reference; empty for a heading.
    """

    text: str
    against: Mapping[str, Paired]

    @property
    def height(self) -> float:
        """In lines of one or two rows of text."""
        return max(1.0, 0.5 * (self.text.count("\n") + 1))


def _lines(tables: Sequence[Table], measures: Sequence[str]) -> Iterator[_Line]:
    for table in tables:
        rows = [row for row in table.rows if row.against.keys() & set(measures)]
        if len(tables) > 1 and rows:
            heading = table.topic.replace("_", " ")
            if not heading.endswith(against := f"against {table.reference}"):
                heading += f", {against}"
            yield _Line(textwrap.fill(heading, ACROSS), {})
        for row in rows:
            yield _Line(textwrap.fill(row.title, BESIDE), row.against)


def _draw_heading(axes, theme: Theme, text: str, place: float) -> None:
    """Across the plot, over what the axes show at its place: nothing but the grid."""
    figure = axes.figure
    axes.text(
        0.01,
        place,
        text,
        transform=blended_transform_factory(figure.transFigure, axes.transData),
        verticalalignment="center",
        fontsize=9,
        fontweight="bold",
        bbox={"facecolor": theme.background, "edgecolor": "none", "pad": 1},
        in_layout=False,
    )


def draw_lines(
    figure: Figure, theme: Theme, table: Table, measures: Sequence[str]
) -> None:
    """Means over the numbers that were tried, with intervals over seeds.

    Args:
        table: Its rows that have a value.
        measures: A line each.
    """
    axes = figure.subplots()
    rows = sorted((r for r in table.rows if r.value is not None), key=lambda r: r.value)
    # Numbers such as 1, 2, 5, 10 side by side, however far apart.
    place = {row.value: i for i, row in enumerate(rows)}
    for i, measure in enumerate(measures):
        found = [row for row in rows if measure in row.means]
        means = [row.means[measure] for row in found]
        points = [Interval(m.mean, m.low, m.high) for m in means]
        at = [place[row.value] + 0.3 * shift(i, len(measures)) for row in found]
        draw_points(axes, theme, i, measure, at, points, line="-")
    for row in rows:
        if row.variant == table.reference:
            axes.axvline(place[row.value], color=theme.ink, linestyle=":", zorder=0)
    axes.set_xticks(list(place.values()), [f"{value:g}" for value in place])
    title = f"{table.topic.replace('_', ' ')} (dotted: {table.reference})"
    axes.set_xlabel(textwrap.fill(title, ACROSS - 10))
    axes.set_ylabel("mean (bars: 95 % over seeds)")
    finish(axes, table.is_simulated)


def draw_groups(
    figure: Figure, theme: Theme, tables: Sequence[Table], measure: str
) -> None:
    """A group of bars for each group of lists, a bar for each variant.

    Args:
        tables: One for each group, of the same topic.
        measure: What the bars show, with intervals over lists.
    """
    axes = figure.subplots()
    variants = list(dict.fromkeys(r.variant for t in tables for r in t.rows))
    width = 0.8 / len(variants)
    lows = []
    for i, variant in enumerate(variants):
        found = [
            (place, row.over_lists[measure])
            for place, table in enumerate(tables)
            for row in table.rows
            if row.variant == variant and measure in row.over_lists
        ]
        at = [place + width * (i - (len(variants) - 1) / 2) for place, _ in found]
        means = [interval.mean for _, interval in found]
        axes.bar(at, means, width * 0.9, color=colour(theme, i), label=variant)
        arms = reach([interval for _, interval in found])
        axes.errorbar(at, means, arms, fmt="none", ecolor=theme.ink, capsize=2)
        lows += list(np.array(means) - arms[0])
    # Bars that begin at 0 would all look the same; the axis says where they begin.
    axes.set_ylim(bottom=0.98 * min(lows))
    axes.set_xticks(
        range(len(tables)), [f"{t.group}\n({t.lists:,} lists)" for t in tables]
    )
    axes.set_ylabel(f"{measure_title(measure)}, cut below")
    finish(axes, any(table.is_simulated for table in tables))
