"""The plots of the roofline: rates against batch, and beside the ceilings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from psad_tf.bench.efficiency_content import INFERENCE
from psad_tf.bench.plot_parts import colour, finish
from psad_tf.report_page.style import Picture, Theme, picture

STUDENT = "PSAD-S"
Rows = Sequence[Mapping[str, Any]]


def pictures_of(rows: Rows) -> Iterator[Picture]:
    """Lists a second of the student, by batch and number of candidates."""
    series = {}
    for row in sorted(rows, key=lambda r: (r["shape"]["candidates"], r["batch"])):
        if (row["method"], row["phase"]) == (STUDENT, INFERENCE):
            name = f"M = {row['shape']['candidates']}, {row['precision']}"
            at = row["batch"], row["lists_per_second"]
            series.setdefault(name, []).append(at)
    if series:
        yield picture(
            draw_rates,
            series,
            title="Lists a second of the student, by lists a call",
            caption="By the device's clock, where it has one.",
        )


def draw_rates(
    figure: Figure, theme: Theme, series: Mapping[str, Sequence[tuple[int, float]]]
) -> None:
    """A line for each series of (lists a call, lists a second), both axes in ratios."""
    axes = figure.subplots()
    used = set()
    for i, (name, points) in enumerate(series.items()):
        axes.plot(
            *zip(*points, strict=True),
            marker="o",
            markersize=4,
            color=colour(theme, i),
            linestyle="-" if colour(theme, i) not in used else "--",
            label=name,
        )
        used.add(colour(theme, i))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("lists a call")
    axes.set_ylabel("lists a second")
    finish(axes, False)
