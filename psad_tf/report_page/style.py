"""How plots look: colours that colour-blind eyes tell apart, in light and in dark."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure

# Narrow enough that text stays readable when a phone scales the plot down.
WIDTH, HEIGHT = 4.7, 3.2


@dataclass(frozen=True)
class Theme:
    """The colours of a page; series are from the palette of Okabe and Ito.

    Args:
        background: Behind the plot.
        ink: Of text and axes.
        grid: Of grid lines.
        rankers: Of each ranker, the same in every plot.
        parts: Of loss parts, in turn.
        bars: Of counts.
    """

    background: str
    ink: str
    grid: str
    rankers: Mapping[str, str]
    parts: tuple[str, ...]
    bars: str


LIGHT = Theme(
    "#ffffff",
    "#1f2328",
    "#d8dee4",
    {
        "served": "#0072b2",
        "initial": "#d55e00",
        "mean_rating": "#008060",
        "random": "#767676",
    },
    ("#1f2328", "#0072b2", "#d55e00", "#008060", "#cc79a7"),
    "#8fa3b5",
)
DARK = Theme(
    "#161b22",
    "#e6edf3",
    "#343b44",
    {
        "served": "#56b4e9",
        "initial": "#f09a4a",
        "mean_rating": "#35c9a0",
        "random": "#9a9a9a",
    },
    ("#e6edf3", "#56b4e9", "#f09a4a", "#35c9a0", "#e3a3c6"),
    "#5d7186",
)


@dataclass(frozen=True)
class Picture:
    """A plot as data URIs for both themes, with what it shows in words."""

    light: str
    dark: str
    title: str
    caption: str


def picture(
    draw: Callable, *data, title: str, caption: str, height: float = HEIGHT
) -> Picture:
    """Draws `draw(figure, theme, *data)` once for each theme."""
    uris = [_drawn(draw, data, theme, height) for theme in (LIGHT, DARK)]
    return Picture(*uris, title, caption)


def _drawn(draw: Callable, data: tuple, theme: Theme, height: float) -> str:
    settings = {
        "axes.edgecolor": theme.grid,
        "axes.facecolor": theme.background,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.labelcolor": theme.ink,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.facecolor": theme.background,
        "font.size": 10,
        "grid.color": theme.grid,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "legend.labelcolor": theme.ink,
        "text.color": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        # The same inputs give the same bytes.
        "svg.hashsalt": "psad-tf",
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure, theme, *data)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(content.getvalue()).decode()
    return f"data:image/svg+xml;base64,{encoded}"
