"""The paper's Table 2 beside ours: the order of methods, and ratios to PRM."""

from collections.abc import Mapping
from typing import Any

from psad_tf.bench import paper_figures
from psad_tf.bench.method_plots import Chart, draw_methods, point
from psad_tf.bench.report_sheets import Cell, Sheet
from psad_tf.report_page.formats import NONE, number
from psad_tf.report_page.style import Picture, picture

BASE = "PRM"
METHODS = tuple(paper_figures.NDCG[paper_figures.PRM_PUBLIC])
WHAT = f"NDCG@10 divided by {BASE}'s (on Avito, whose lists have five items, NDCG@5)"


def paper_sheet(ours: Mapping[str, Mapping[str, Any]]) -> Sheet:
    """A row for each method of the paper, a column for each data set.

    Args:
        ours: Our data sets of `overall.json`, by their names for people.
    """
    columns = _columns(ours)
    ranks = {name: paper_figures.ranks(values) for name, values in columns.items()}
    rows = [
        [title, *(_cell(columns[name], ranks[name], title) for name in columns)]
        for title in METHODS
    ]
    return Sheet(
        "The paper's figures beside ours",
        f"Rank among these methods and, in brackets, {WHAT}. Theirs are of Table 2.",
        ["method", *columns],
        rows,
    )


def paper_picture(ours: Mapping[str, Mapping[str, Any]]) -> Picture:
    """The ratios to PRM, a colour for each data set."""
    series = {
        name: {title: point(ratio) for title, ratio in _ratios(values).items()}
        for name, values in _columns(ours).items()
    }
    chart = Chart({k: v for k, v in series.items() if v}, f"NDCG@10 ÷ {BASE}", line=1)
    return picture(
        draw_methods,
        chart,
        title=f"NDCG@10 relative to {BASE}, the paper's and ours",
        caption=f"{WHAT}. The paper's are of Table 2.",
    )


def _columns(ours) -> dict[str, dict[str, float]]:
    """Data set to method to NDCG: the paper's, and ours of the same methods."""
    columns = {f"paper, {name}": dict(v) for name, v in paper_figures.NDCG.items()}
    for name, dataset in ours.items():
        methods = dataset["methods"]
        columns[f"ours, {name}"] = {
            title: methods[title]["over_seeds"]["ndcg"]["mean"]
            for title in METHODS
            if title in methods
        }
    return columns


def _ratios(values: Mapping[str, float]) -> dict[str, float]:
    """Empty where PRM is not there."""
    base = values.get(BASE)
    return {name: value / base for name, value in values.items()} if base else {}


def _cell(values, ranks, title: str) -> Cell | str:
    if title not in values:
        return NONE
    ratio = number(_ratios(values).get(title))
    return Cell(
        f"{ranks[title]}", f" ({ratio})", mark="best" if ranks[title] == 1 else ""
    )
