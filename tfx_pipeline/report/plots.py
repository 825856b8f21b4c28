"""The plots of the report: each draws on a figure, in the colours of a theme."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from psad_tf.report_page.style import Theme
from tfx_pipeline.report.results import INITIAL, MEAN_RATING, SERVED, Comparison
from tfx_pipeline.report.words import RANKER_TITLES, group_title

PLOTTED = (INITIAL, MEAN_RATING, SERVED)
VALIDATION_NDCG = "val_ndcg_at_10"
MAX_BARS = 60
MARKERS = {SERVED: "o", INITIAL: "s", MEAN_RATING: "^"}


def draw_losses(
    figure: Figure, theme: Theme, history: Mapping[str, Sequence[float]], kept: int
) -> None:
    """The parts of the loss an epoch; dashed on the validation lists.

    Args:
        history: Logged name to one value an epoch.
        kept: The epoch whose weights were kept, from 1.
    """
    axes = figure.subplots()
    parts = [n for n in history if n.endswith("loss") and not n.startswith("val_")]
    for i, name in enumerate(sorted(parts, key=lambda n: (n != "loss", n))):
        style = {"color": theme.parts[i % len(theme.parts)], "linewidth": 1.5}
        label = name.removesuffix("_loss").replace("loss", "sum")
        axes.plot(_epochs(history[name]), history[name], label=label, **style)
        if validated := history.get(f"val_{name}"):
            axes.plot(_epochs(validated), validated, linestyle="--", **style)
    _mark_kept(axes, theme, kept)
    _label_epochs(axes, "loss (dashed: validation)")


def draw_validation(
    figure: Figure,
    theme: Theme,
    history: Mapping[str, Sequence[float]],
    kept: int,
    initial: float,
) -> None:
    """Validation NDCG@10 an epoch, beside the initial order's."""
    axes = figure.subplots()
    values = history[VALIDATION_NDCG]
    axes.plot(
        _epochs(values), values, marker="o", color=theme.rankers[SERVED], label="Scorer"
    )
    axes.axhline(
        initial,
        color=theme.rankers[INITIAL],
        linestyle=":",
        label=RANKER_TITLES[INITIAL],
    )
    _mark_kept(axes, theme, kept)
    _label_epochs(axes, "NDCG@10 on validation lists")


def draw_slices(
    figure: Figure, theme: Theme, comparisons: Sequence[Comparison]
) -> None:
    """Before and after in each group of lists, with its size and 95 % intervals."""
    axes = figure.subplots()
    known = [c for c in comparisons if c.lists]
    rows = np.arange(len(known))[::-1]
    _draw_rankers(axes, theme, known, rows, is_horizontal=True)
    titles = [f"{group_title(c.partition, c.label)} ({c.lists:,})" for c in known]
    axes.set_yticks(rows, titles)
    axes.set_xlabel("mean NDCG@10\n(bars: 95 % interval)")
    _put_legend(axes)


def draw_history(
    figure: Figure, theme: Theme, comparisons: Sequence[Comparison]
) -> None:
    """NDCG@10 by the number of past items, above the number of lists."""
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    known = [(x, c) for x, c in enumerate(comparisons) if c.lists]
    places = np.array([x for x, _ in known])
    _draw_rankers(above, theme, [c for _, c in known], places, is_horizontal=False)
    above.set_ylabel("mean NDCG@10\n(bars: 95 % interval)")
    _put_legend(above)
    counts = [c.lists for c in comparisons]
    bars = below.bar(range(len(counts)), counts, color=theme.bars)
    below.bar_label(bars, fontsize=8)
    below.margins(y=0.35)
    below.set_ylabel("test lists")
    below.set_xlabel("past items in the list")
    below.set_xticks(range(len(counts)), [c.label for c in comparisons])


def draw_counts(
    figure: Figure, theme: Theme, values: Sequence[int], xlabel: str
) -> None:
    """How many lists have each whole number; many numbers share a bar."""
    axes = figure.subplots()
    if max(values) - min(values) <= MAX_BARS:
        counts = Counter(values)
        axes.bar(list(counts), list(counts.values()), color=theme.bars)
    else:
        axes.hist(values, bins=MAX_BARS, color=theme.bars)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(xlabel)
    axes.set_ylabel("lists")


def draw_fates(figure: Figure, theme: Theme, fates: Mapping[str, int]) -> None:
    """How many lists each split got, and how many each reason took."""
    axes = figure.subplots()
    names = [name.replace("_", " ") for name in fates]
    bars = axes.barh(names[::-1], list(fates.values())[::-1], color=theme.bars)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=9)
    axes.margins(x=0.18)
    axes.set_xlabel("lists")


def _draw_rankers(
    axes, theme: Theme, comparisons, places: np.ndarray, is_horizontal: bool
) -> None:
    rankers = [r for r in PLOTTED if any(r in c.means for c in comparisons)]
    for i, ranker in enumerate(rankers):
        found = np.array([c.means[ranker] for c in comparisons])
        mean, low, high = found.T
        # A mean may stand a rounding error outside of its own interval.
        reach = np.maximum([mean - low, high - mean], 0)
        shifted = places + 0.2 * (i - (len(rankers) - 1) / 2)
        x, y = (mean, shifted) if is_horizontal else (shifted, mean)
        axes.errorbar(
            x,
            y,
            **{"xerr" if is_horizontal else "yerr": reach},
            fmt=MARKERS[ranker],
            markersize=5,
            elinewidth=1.4,
            capsize=2,
            color=theme.rankers[ranker],
            label=RANKER_TITLES[ranker],
        )


def _epochs(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)


def _mark_kept(axes, theme: Theme, kept: int) -> None:
    label = f"kept: epoch {kept}"
    axes.axvline(kept, color=theme.ink, linewidth=0.8, linestyle="-.", label=label)


def _label_epochs(axes, ylabel: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel(ylabel)
    _put_legend(axes)


def _put_legend(axes) -> None:
    """Above the plot, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=3,
        columnspacing=1.0,
        handletextpad=0.4,
    )
