"""The plots of the gate: each gain with its interval beside its bound."""

import numpy as np
from matplotlib.figure import Figure

from psad_tf.report_page.style import Picture, Theme
from tfx_pipeline.gate.means import BLESSED, INITIAL
from tfx_pipeline.report.verdict_plot import Checks, draw_verdicts, pictures

TITLES = {
    INITIAL: "Gains over the initial order",
    BLESSED: "Gains over the last blessed model",
}
_CAPTION = (
    "Dots with intervals, and the bounds (|) that their ends are held against; those "
    "of groups are wider, since many are looked at."
)


def draw_gate(checks: Checks) -> list[Picture]:
    """One plot for each comparison there was.

    Args:
        checks: Of `gate.json`.
    """
    compared = [check for check in checks if check["interval"]]
    return pictures(compared, TITLES, draw_checks, _CAPTION, 0.26)


def draw_checks(figure: Figure, theme: Theme, checks: Checks) -> None:
    """Values with intervals, coloured by the verdict, and their bounds."""
    draw_verdicts(figure, theme, checks, "gain in mean NDCG@10", _intervals)


def _intervals(axes, checks: Checks, rows, verdict: bool, **style) -> None:
    values = np.array([check["value"] for check in checks])
    low, high = np.array([check["interval"] for check in checks]).T
    axes.errorbar(
        values,
        rows,
        # A mean may stand a rounding error outside of its own interval.
        xerr=np.maximum([values - low, high - values], 0),
        fmt="o" if verdict else "X",
        markersize=5,
        elinewidth=1.4,
        capsize=2,
        **style,
    )
