"""What the plots of both gates share: a row for each check, and its bound."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from psad_tf.report_page.style import Picture, Theme, picture

Checks = Sequence[Mapping[str, Any]]


def pictures(
    checks: Checks, titles: Mapping[str, str], draw: Callable, caption: str, row: float
) -> list[Picture]:
    """One plot for each name that checks have.

    Args:
        checks: Of a gate's file.
        titles: Names of checks to titles of plots.
        draw: Of a figure, a theme and the checks of a name.
        caption: Of each plot.
        row: Inches of a check.
    """
    found = {name: [c for c in checks if c["name"] == name] for name in titles}
    return [
        picture(
            draw,
            named,
            title=titles[name],
            caption=caption,
            height=1.3 + row * len(named),
        )
        for name, named in found.items()
        if named
    ]


def draw_verdicts(
    figure: Figure, theme: Theme, checks: Checks, label: str, mark: Callable
) -> None:
    """A row for each check, coloured by the verdict, with its bound.

    Args:
        figure: What is drawn on.
        theme: Its colours.
        checks: From top to bottom.
        label: Of the values.
        mark: Of axes, checks, their places and the verdict; with `color` and `label`.
    """
    axes = figure.subplots()
    rows = np.arange(len(checks))[::-1]
    for verdict, colour in ((True, "served"), (False, "initial")):
        chosen = [i for i, c in enumerate(checks) if c["passed"] is verdict]
        if chosen:
            mark(
                axes,
                [checks[i] for i in chosen],
                rows[chosen],
                verdict,
                color=theme.rankers[colour],
                label="passed" if verdict else "failed",
            )
    bounds = [check["bound"] for check in checks]
    axes.scatter(bounds, rows, marker="|", s=120, color=theme.ink, label="bound")
    axes.set_yticks(rows, [check["group"] for check in checks])
    axes.set_xlabel(label)
    figure.legend(loc="outside upper left", ncols=3)
