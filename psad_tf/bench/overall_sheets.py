"""The tables of all rerankers, from the figures of `overall.json`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psad_tf.bench.report_sheets import Cell, Sheet, ranked
from psad_tf.bench.report_words import measure_title, p_words
from psad_tf.report_page.formats import NONE, count, number, signed

RANKING = (
    "ndcg_at_5",
    "ndcg",
    "map_at_5",
    "map",
    "map_relevant",
    "utility",
)
PREDICTION = ("auc", "log_loss")
DIVERSITY = ("ild", "coverage", "popularity")
METRICS = (*RANKING, *DIVERSITY, *PREDICTION)
LOWER_IS_BETTER, NEITHER_IS_BETTER = ("log_loss",), ("popularity",)
# What has a table of differences; the others' are in the JSON file.
COMPARED = ("ndcg", "map", "utility")
STARRED, SURE = "PSAD-G", 0.05


def sheets_of(dataset: Mapping[str, Any]) -> list[Sheet]:
    """The tables of one data set; those of which nothing was measured are left out."""
    first = "First ten items of each list, unless the column says five."
    whole = "All candidates of all lists, for models that give probabilities of clicks."
    found = [
        _means(dataset, title, caption, metrics)
        for title, caption, metrics in (
            ("Ranking", first, RANKING),
            ("Diversity and exposure", "First ten items of each list.", DIVERSITY),
            ("Prediction of clicks", whole, PREDICTION),
        )
    ]
    if dataset["references"]:
        found += [_differences(dataset, name) for name in COMPARED]
    return [sheet for sheet in found if sheet.rows]


def _measured(dataset, metrics: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The methods that have any of these metrics."""
    methods = dataset["methods"].items()
    return {
        title: m for title, m in methods if any(n in m["over_seeds"] for n in metrics)
    }


def _means(dataset, title: str, caption: str, metrics: Sequence[str]) -> Sheet:
    metrics = [name for name in metrics if _measured(dataset, [name])]
    methods = _measured(dataset, metrics)
    columns = [_mean_column(methods.values(), name) for name in metrics]
    runs = [f"{len(m['seeds']) or 1}" for m in methods.values()]
    head = ["method", "runs", *map(measure_title, metrics)]
    rows = [*map(list, zip(methods, runs, *columns, strict=True))]
    return Sheet(title, caption, head, rows)


def _mean_column(rows: Iterable[Mapping], metric: str) -> list[Cell | str]:
    values = [row["over_seeds"].get(metric) for row in rows]
    # What reads the same is marked the same.
    means = [None if v is None else round(v["mean"], 4) for v in values]
    marks = [""] * len(means)
    if metric not in NEITHER_IS_BETTER:
        marks = ranked(means, metric not in LOWER_IS_BETTER)
    cells = []
    for row, value, mark in zip(rows, values, marks, strict=True):
        if value is None:
            cells.append(NONE)
            continue
        paired = row["against"].get(STARRED, {}).get(metric)
        rest = f" ± {number(value['sd'])}" if value["count"] > 1 else ""
        is_sure = paired is not None and paired["p_holm"] < SURE
        cells.append(Cell(number(value["mean"]), rest, mark=mark, has_star=is_sure))
    return cells


def _differences(dataset, metric: str) -> Sheet:
    references = dataset["references"]
    rows = []
    for title, row in _measured(dataset, [metric]).items():
        against = [row["against"].get(name, {}).get(metric) for name in references]
        rows.append([title, *map(_difference, against)])
    return Sheet(
        f"Differences in {measure_title(metric)}",
        "Method minus the column's, over lists (95 % bootstrap interval).",
        ["method", *(f"to {name}" for name in references)],
        rows,
    )


def _difference(paired: Mapping[str, Any] | None) -> Cell:
    if paired is None:
        return Cell(NONE)
    found = paired["difference"]
    text = (
        f"{signed(found['mean'])} ({signed(found['low'])} to {signed(found['high'])})"
    )
    aside = f"{p_words(paired['p_holm'])}, r = {signed(paired['effect'], 2)}"
    is_better = "good" if found["mean"] > 0 else "bad"
    return Cell(text, aside=aside, mark=is_better if paired["p_holm"] < SURE else "")


def chosen_sheet(methods: Mapping[str, Mapping[str, Any]], where: str) -> Sheet:
    """What each method was tuned to, and how big it became.

    Args:
        methods: Of `overall.json`.
        where: The data sets it was tuned on, for people.
    """
    rows = [
        [
            title,
            NONE if m["learning_rate"] is None else f"{m['learning_rate']:.3g}",
            ", ".join(f"{k}={v}" for k, v in (m["options"] or {}).items()) or NONE,
            count(m["configurations"]),
            number(m["validation_ndcg"]),
            count(m["parameters"]),
            NONE
            if m["knows_history"] is None
            else "no yes".split()[m["knows_history"]],
            m["note"] or "",
        ]
        for title, m in methods.items()
    ]
    return Sheet(
        "Chosen by validation NDCG@10",
        f"{where}: the best of so many configurations, without the test lists.",
        [
            "method",
            "learning rate",
            "options",
            "configurations",
            "validation NDCG@10",
            "parameters",
            "sees the history",
            "note",
        ],
        rows,
        words=(0, 2, 6, 7),
    )
