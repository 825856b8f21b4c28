"""The plots of what methods cost, from the figures of `efficiency.json`."""

from collections.abc import Iterator

from psad_tf.bench.efficiency_content import PHASES, TARGET_BATCH
from psad_tf.bench.efficiency_sheets import (
    BESIDE,
    Rows,
    batches_of,
    beside_paper,
    title_of,
)
from psad_tf.bench.method_plots import Chart, draw_methods, point
from psad_tf.bench.statistics import Interval
from psad_tf.report_page.style import Picture, picture

_ENDS = ("median", "p10", "p90")


def pictures_of(rows: Rows) -> Iterator[Picture]:
    """Times by method and batch, and ratios beside the paper's."""
    for phase in PHASES:
        found = [row for row in rows if row["phase"] == phase]
        series = {
            f"{batch} lists": {
                title_of(row): Interval(*(1e3 * row[name] for name in _ENDS))
                for row in found
                if row["batch"] == batch
            }
            for batch in batches_of(found)
        }
        if series:
            yield picture(
                draw_methods,
                Chart(series, "milliseconds", is_log=True),
                title=f"{phase.capitalize()} by method",
                caption="Medians; bars: 10th to 90th percentile of rounds.",
            )
    yield from _beside_pictures(rows)


def _beside_pictures(rows: Rows) -> Iterator[Picture]:
    for phase, found in beside_paper(rows).items():
        series = {
            name: {m: point(pair[i]) for m, pair in found.items() if pair[i]}
            for i, name in enumerate(("the paper", "ours"))
        }
        if series["ours"]:
            base = BESIDE[phase]
            yield picture(
                draw_methods,
                Chart(series, f"{phase} ÷ {base}", line=1, is_log=True),
                title=f"{phase.capitalize()} relative to {base}",
                caption=f"At batches of {TARGET_BATCH}; the paper's are of Table 3.",
            )
