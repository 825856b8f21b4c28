"""The plots of the data gate: how far each feature moved, beside its bound."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from psad_tf.report_page.style import Picture, Theme, picture

TITLES = {
    "drift": "Drift from the last blessed model's data",
    "skew": "Skew of training lists against test lists",
}


def draw_distances(checks: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """One plot for drift, one for skew, where there is any.

    Args:
        checks: Of `data_gate.json`.
    """
    found = {name: [c for c in checks if c["name"] == name] for name in TITLES}
    return [
        picture(
            draw_bars,
            named,
            title=TITLES[name],
            caption="Text: the largest change of one value's share; numbers: the "
            "Jensen-Shannon divergence. The bounds (|) are those of data_gate.",
            height=1.3 + 0.22 * len(named),
        )
        for name, named in found.items()
        if named
    ]


def draw_bars(
    figure: Figure, theme: Theme, checks: Sequence[Mapping[str, Any]]
) -> None:
    """A bar for each feature, coloured by the verdict, and its bound."""
    axes = figure.subplots()
    rows = np.arange(len(checks))[::-1]
    for verdict, colour in ((True, "served"), (False, "initial")):
        chosen = [i for i, c in enumerate(checks) if c["passed"] is verdict]
        if chosen:
            axes.barh(
                rows[chosen],
                [checks[i]["value"] for i in chosen],
                color=theme.rankers[colour],
                label="passed" if verdict else "failed",
            )
    bounds = [check["bound"] for check in checks]
    axes.scatter(bounds, rows, marker="|", s=120, color=theme.ink, label="bound")
    axes.set_yticks(rows, [check["group"] for check in checks])
    axes.set_xlim(left=0)
    axes.set_xlabel("distance")
    figure.legend(loc="outside upper left", ncols=3)
