"""The plots of a bench: each draws on a figure, in the colours of a theme."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from psad_tf.bench.report_tables import Table
from psad_tf.bench.report_words import measure_title
from psad_tf.bench.statistics import Interval, OverSeeds
from psad_tf.report_page.style import Theme

MARKERS = "os^Dv"


def draw_forest(
    figure: Figure, theme: Theme, tables: Sequence[Table], measures: Sequence[str]
) -> None:
    """The differences to the reference of every variant, with intervals over lists.

    Args:
        tables: Of one data set and group; their variants stand below each other.
        measures: A colour each.
    """
    axes = figure.subplots()
    rows = [
        (f"{t.topic}: {r.title}" if len(tables) > 1 else r.title, r.against)
        for t in tables
        for r in t.rows
        if r.against
    ]
    places = np.arange(len(rows))[::-1]
    for i, measure in enumerate(measures):
        found = [
            (place, against[measure].over_lists)
            for place, (_, against) in zip(places, rows, strict=True)
            if measure in against
        ]
        at = [place - _shift(i, len(measures)) for place, _ in found]
        points = [interval for _, interval in found]
        _draw_points(axes, theme, i, measure, at, points, is_horizontal=True)
    axes.axvline(0, color=theme.ink, linewidth=0.8)
    axes.set_yticks(places, [title for title, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    references = {t.reference for t in tables}
    axes.set_xlabel(f"difference to {' or '.join(sorted(references))}")
    _finish(axes, tables)


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
        points = [Interval(*_ends(row.means[measure])) for row in found]
        at = [place[row.value] + 0.3 * _shift(i, len(measures)) for row in found]
        _draw_points(axes, theme, i, measure, at, points, line="-")
    for row in rows:
        if row.variant == table.reference:
            axes.axvline(place[row.value], color=theme.ink, linestyle=":", zorder=0)
    axes.set_xticks(list(place.values()), [f"{value:g}" for value in place])
    axes.set_xlabel(f"{table.topic.replace('_', ' ')} (dotted: {table.reference})")
    axes.set_ylabel("mean (bars: 95 % over seeds)")
    _finish(axes, [table])


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
        axes.bar(at, means, width * 0.9, color=_colour(theme, i), label=variant)
        reach = _reach([interval for _, interval in found])
        axes.errorbar(at, means, reach, fmt="none", ecolor=theme.ink, capsize=2)
        lows += list(np.array(means) - reach[0])
    # Bars that begin at 0 would all look the same; the axis says where they begin.
    axes.set_ylim(bottom=0.98 * min(lows))
    axes.set_xticks(
        range(len(tables)), [f"{t.group}\n({t.lists:,} lists)" for t in tables]
    )
    axes.set_ylabel(f"{measure_title(measure)}, cut below")
    _finish(axes, tables)


def _draw_points(
    axes,
    theme: Theme,
    i: int,
    measure: str,
    at: Sequence[float],
    points: Sequence[Interval],
    is_horizontal: bool = False,
    line: str = "",
) -> None:
    means = [point.mean for point in points]
    x, y = (means, at) if is_horizontal else (at, means)
    axes.errorbar(
        x,
        y,
        **{"xerr" if is_horizontal else "yerr": _reach(points)},
        fmt=MARKERS[i % len(MARKERS)],
        linestyle=line or "none",
        markersize=5,
        elinewidth=1.4,
        capsize=2,
        color=_colour(theme, i),
        label=measure_title(measure),
    )


def _reach(points: Sequence[Interval]) -> np.ndarray:
    """How far intervals reach down and up: `[2, points]`, 0 where unknown."""
    found = np.array([(p.mean - p.low, p.high - p.mean) for p in points])
    return np.nan_to_num(np.maximum(found.reshape(-1, 2).T, 0))


def _ends(values: OverSeeds) -> tuple[float, float, float]:
    return values.mean, values.low, values.high


def _shift(i: int, count: int) -> float:
    return 0.2 * (i - (count - 1) / 2)


def _colour(theme: Theme, i: int) -> str:
    # The first one is the ink, which axes and zero lines have.
    colours = theme.parts[1:]
    return colours[i % len(colours)]


def _finish(axes, tables: Sequence[Table]) -> None:
    """The legend above, where it hides nothing; and what no plot may leave out."""
    if any(table.is_simulated for table in tables):
        axes.set_title("simulated", loc="right", fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside upper left", ncols=3)
