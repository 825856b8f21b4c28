"""Writes a bench's report: a page, tables as Markdown, and figures to go on with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psad_tf.bench.report_files import csv_text, templates, write_json, write_plots
from psad_tf.bench.report_record import read_tables
from psad_tf.bench.report_results import Result
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sections import sections
from psad_tf.bench.report_tables import Row, Table, build_tables
from psad_tf.data.atomic import atomic_folder

PAGE, TABLES, JSON, CSV = "index.html", "tables.md", "results.json", "results.csv"


def write_report(results: Sequence[Result], run: Run, out: Path) -> list[Table]:
    """Writes `index.html`, `tables.md`, `results.json`, `results.csv` and the plots.

    Args:
        results: Of any benches and data sets.
        run: How they came about.
        out: The folder; an earlier report in it is replaced.

    Returns:
        The tables.

    Raises:
        InputError: The results don't fit together, or `out` holds something else.
    """
    tables = build_tables(results)
    with atomic_folder(Path(out), JSON) as folder:
        write_json(folder / JSON, {"run": run, "tables": tables})
        (folder / CSV).write_text(as_csv(tables), encoding="utf-8")
        render_report(folder / JSON, folder)
    return tables


def render_report(json_path: Path, folder: Path) -> None:
    """Makes `index.html`, `tables.md` and the plots from `results.json` alone.

    Args:
        json_path: What `write_report` wrote.
        folder: Where to; other files in it stay.
    """
    run, tables = read_tables(json_path)
    shown = sections(tables)
    for name, template in ((PAGE, "bench.html"), (TABLES, "bench.md")):
        text = templates(name == PAGE).get_template(template)
        text = text.render(run=run, sections=shown)
        (Path(folder) / name).write_text(text, encoding="utf-8")
    write_plots(folder, shown)


def as_csv(tables: Sequence[Table]) -> str:
    """A line for each measure of each variant."""
    lines = [
        _line(table, row, measure)
        for table in tables
        for row in table.rows
        for measure in row.means
    ]
    return csv_text(lines)


def _line(table: Table, row: Row, measure: str) -> dict[str, Any]:
    mean, lists = row.means[measure], row.over_lists.get(measure)
    paired = row.against.get(measure)
    between, seeds = paired[:2] if paired else (None, None)
    return {
        "bench": table.bench,
        "dataset": table.dataset,
        "simulated": table.is_simulated,
        "split": table.split,
        "group": table.group,
        "lists": table.lists,
        "topic": table.topic,
        "reference": table.reference,
        "variant": row.variant,
        "value": row.value,
        "measure": measure,
        "runs": mean.count,
        "mean": mean.mean,
        "sd": mean.sd,
        "low_over_seeds": mean.low,
        "high_over_seeds": mean.high,
        "low_over_lists": lists and lists.low,
        "high_over_lists": lists and lists.high,
        "difference": between and between.mean,
        "difference_low_over_lists": between and between.low,
        "difference_high_over_lists": between and between.high,
        "difference_low_over_seeds": seeds and seeds.low,
        "difference_high_over_seeds": seeds and seeds.high,
        "p": paired and paired.p_value,
        "p_holm": row.p_holm.get(measure),
        "rank_biserial": paired and paired.effect,
        "ties": paired and paired.ties,
    }
