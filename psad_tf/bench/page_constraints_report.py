"""The report of `psad bench page`: what each rule of a page costs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.bench.method_plots import Chart, draw_methods
from psad_tf.bench.page_constraints import MEASURES
from psad_tf.bench.page_constraints_rules import NO_RULE, PLACES
from psad_tf.bench.report_files import csv_text, write_json
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sheets import Cell, Part, Report, Sheet, write_sheets
from psad_tf.bench.report_words import (
    dataset_title,
    difference,
    measure_title,
    p_words,
    percent,
)
from psad_tf.bench.statistics import LEVEL, Interval, holm
from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.formats import NONE, number
from psad_tf.report_page.style import Picture, picture

TITLE = "Rules of a page"
JSON, CSV, TABLES = "page.json", "page.csv", "page.md"
_SURE = 1 - LEVEL
_SHARES = ("changed", "broken", "unproven")


def write_page(
    rows: Sequence[Mapping[str, Any]],
    dataset: str,
    is_simulated: bool,
    run: Run,
    folder: Path,
) -> None:
    """Writes `page.json`, `.csv`, `.md`, `index.html` and the plots.

    Args:
        rows: From `page_constraints.measure_page`, the one without a rule first.
        dataset: The data set's name.
        is_simulated: Whether its clicks are.
        run: How they came about.
        folder: An earlier report in it is replaced.
    """
    content = {"dataset": dataset, "is_simulated": is_simulated, "run": run}
    content["rows"] = _with_p_values(rows)
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, content)
        (new / CSV).write_text(csv_text([*_lines(content["rows"])]), encoding="utf-8")
        render_page(new / JSON, new)


def render_page(json_path: Path, folder: Path) -> None:
    """Makes `page.md`, `index.html` and the plots from the JSON file alone.

    Args:
        json_path: What `write_page` wrote.
        folder: Where to; other files in it stay.
    """
    content = json.loads(Path(json_path).read_text(encoding="utf-8"))
    rows, is_simulated = content["rows"], content["is_simulated"]
    first = rows[0]
    part = Part(
        f"{dataset_title(content['dataset'], is_simulated)}, test lists",
        is_simulated,
        f"{first['lists']:,} lists, {first['seeds']} seed(s), {PLACES} places a page.",
        [*_sheets(rows)],
        [*_pictures(rows, is_simulated)],
    )
    values = {"places": PLACES}
    report = Report(TITLE, Run(**content["run"]), "page.txt", [part], values)
    write_sheets(report, folder, TABLES)


def _with_p_values(rows) -> list[dict]:
    """The rows with `p_values` by measure, corrected over all rules."""
    rows = [{**row, "p_values": {}} for row in rows]
    ruled = [row for row in rows if row["rule"] != NO_RULE]
    for measure in rows[0]["measures"]:
        corrected = holm([row["costs"][measure].p_value for row in ruled])
        for row, p_value in zip(ruled, corrected, strict=True):
            row["p_values"][measure] = p_value
    return rows


def _sheets(rows) -> Iterator[Sheet]:
    """What rules cost, and what they bring."""
    caption = (
        "Differences from no rule, with their 95 % intervals over lists; p is Holm's."
    )
    costs = [m for m in ("ndcg", "utility") if m in rows[0]["measures"]]
    yield _sheet("What each rule costs", caption, rows, costs, ())
    caption = (
        "Shares of pages: those that the rule changed; those on which it does not hold "
        "everywhere; and of these, those on which the search ended before it knew that "
        "it cannot."
    )
    yield _sheet("What it does to pages", caption, rows, ["ild"], _SHARES)


def _sheet(title, caption, rows, measures, shares) -> Sheet:
    head = ["rule"]
    for measure in measures:
        head += [measure_title(measure), "difference", "p"]
    lines = []
    for row in rows:
        cells: list[Cell | str] = [row["rule"]]
        for measure in measures:
            p_value = row["p_values"].get(measure)
            cells.append(number(row["measures"][measure]))
            cells.append(_cost(row, measure))
            cells.append(NONE if p_value is None else p_words(p_value))
        lines.append(cells + [percent(row[share]) for share in shares])
    return Sheet(title, caption, [*head, *shares], lines)


def _cost(row, measure) -> Cell | str:
    if row["rule"] == NO_RULE:
        return NONE
    interval = _interval(row, measure)
    is_sure = row["p_values"][measure] < _SURE
    mark = ("good" if interval.mean > 0 else "bad") if is_sure else ""
    return Cell(difference(interval), mark=mark)


def _pictures(rows, is_simulated) -> Iterator[Picture]:
    for measure in (m for m in MEASURES if m in rows[0]["measures"]):
        title = measure_title(measure)
        found = {
            row["rule"]: _interval(row, measure)
            for row in rows
            if row["rule"] != NO_RULE
        }
        yield picture(
            draw_methods,
            Chart({"": found}, "difference", is_simulated, line=0),
            title=f"{title} by rule",
            caption=f"Differences from {NO_RULE}; bars: 95 % intervals over lists.",
        )


def _interval(row, measure) -> Interval:
    ends = row["costs"][measure]["over_lists"]
    nan = float("nan")
    return Interval(*(nan if ends[k] is None else ends[k] for k in Interval._fields))


def _lines(rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        line = {name: row[name] for name in ("rule", "lists", "seeds")}
        for measure, mean in row["measures"].items():
            cost = row["costs"][measure].over_lists
            line |= {
                measure: mean,
                f"{measure}_difference": cost.mean,
                f"{measure}_low": cost.low,
                f"{measure}_high": cost.high,
                f"{measure}_p": row["p_values"].get(measure),
            }
        yield line | {share: row[share] for share in _SHARES}
