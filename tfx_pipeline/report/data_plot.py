"""The plots of the data gate: how far each feature moved, beside its bound."""

from matplotlib.figure import Figure

from psad_tf.report_page.style import Picture, Theme
from tfx_pipeline.report.verdict_plot import Checks, draw_verdicts, pictures

TITLES = {
    "drift": "Drift from the last blessed model's data",
    "skew": "Skew of training lists against test lists",
}
_CAPTION = (
    "Text: the largest change of one value's share; numbers: the Jensen-Shannon "
    "divergence. The bounds (|) are those of data_gate."
)


def draw_distances(checks: Checks) -> list[Picture]:
    """One plot for drift, one for skew, where there is any.

    Args:
        checks: Of `data_gate.json`.
    """
    return pictures(checks, TITLES, draw_bars, _CAPTION, 0.22)


def draw_bars(figure: Figure, theme: Theme, checks: Checks) -> None:
    """A bar for each feature, coloured by the verdict, and its bound."""
    draw_verdicts(figure, theme, checks, "distance", _bars)
    figure.axes[0].set_xlim(left=0)


def _bars(axes, checks: Checks, rows, verdict: bool, **style) -> None:
    axes.barh(rows, [check["value"] for check in checks], **style)
