"""How plots look: colours that colour-blind eyes tell apart, in light and in dark."""

import base64
import io
import re
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


def _colours(theme: Theme) -> list[str]:
    single = [theme.background, theme.ink, theme.grid, theme.bars]
    return [*single, *theme.parts, *theme.rankers.values()]


_DARK_OF = dict(zip(_colours(LIGHT), _colours(DARK), strict=True))


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
    """Draws `draw(figure, theme, *data)` in light; in dark it is the same recoloured.

    `draw` takes all its colours from the theme.
    """
    light = drawn(draw, data, LIGHT, height)
    return Picture(_uri(light), _uri(darkened(light)), title, caption)


def darkened(svg: str) -> str:
    """A plot of the light theme in the colours of the dark one."""
    return re.sub(r"#[0-9a-f]{6}\b", lambda c: _DARK_OF.get(c[0], c[0]), svg)


def drawn(draw: Callable, data: tuple, theme: Theme, height: float = HEIGHT) -> str:
    """A plot as SVG."""
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
    return content.getvalue().decode()


def _uri(svg: str) -> str:
    encoded = base64.b64encode(svg.encode()).decode()
    return f"data:image/svg+xml;base64,{encoded}"
