"""The plots of the gate: each gain with its interval beside its bound."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from psad_tf.report_page.style import Picture, Theme, picture
from tfx_pipeline.gate.means import BLESSED, INITIAL

TITLES = {
    INITIAL: "Gains over the initial order",
    BLESSED: "Gains over the last blessed model",
}


def draw_gate(checks: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """One plot for each comparison there was.

    Args:
        checks: Of `gate.json`.
    """
    compared = {
        name: [c for c in checks if c["name"] == name and c["interval"]]
        for name in TITLES
    }
    return [
        picture(
            draw_checks,
            found,
            title=TITLES[name],
            caption="Dots with intervals, and the bounds (|) that their ends are held "
            "against; those of groups are wider, since many are looked at.",
            height=1.3 + 0.26 * len(found),
        )
        for name, found in compared.items()
        if found
    ]


def draw_checks(
    figure: Figure, theme: Theme, checks: Sequence[Mapping[str, Any]]
) -> None:
    """Values with intervals, coloured by the verdict, and their bounds."""
    axes = figure.subplots()
    rows = np.arange(len(checks))[::-1]
    for verdict, colour in ((True, "served"), (False, "initial")):
        chosen = [i for i, c in enumerate(checks) if c["passed"] is verdict]
        if not chosen:
            continue
        values = np.array([checks[i]["value"] for i in chosen])
        low, high = np.array([checks[i]["interval"] for i in chosen]).T
        axes.errorbar(
            values,
            rows[chosen],
            # A mean may stand a rounding error outside of its own interval.
            xerr=np.maximum([values - low, high - values], 0),
            fmt="o" if verdict else "X",
            markersize=5,
            elinewidth=1.4,
            capsize=2,
            color=theme.rankers[colour],
            label="passed" if verdict else "failed",
        )
    bounds = [check["bound"] for check in checks]
    axes.scatter(bounds, rows, marker="|", s=120, color=theme.ink, label="bound")
    axes.set_yticks(rows, [check["group"] for check in checks])
    axes.set_xlabel("gain in mean NDCG@10")
    figure.legend(loc="outside upper left", ncols=3)
