"""Writes a bench's report: a page, tables as Markdown, and figures to go on with."""

import base64
import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment

from psad_tf.bench import report_words
from psad_tf.bench.report_results import Result
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sections import Section, sections
from psad_tf.bench.report_tables import Row, Table, build_tables
from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.page import environment

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
    shown = sections(tables)
    with atomic_folder(Path(out), JSON) as folder:
        for name, template in ((PAGE, "bench.html"), (TABLES, "bench.md")):
            text = _environment(name).get_template(template)
            text = text.render(run=run, sections=shown)
            (folder / name).write_text(text, encoding="utf-8")
        content = plain({"run": run, "tables": tables})
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / JSON).write_text(text + "\n", encoding="utf-8")
        (folder / CSV).write_text(as_csv(tables), encoding="utf-8")
        for file, content in _plots(shown):
            (folder / file).write_bytes(content)
    return tables


def as_csv(tables: Sequence[Table]) -> str:
    """A line for each measure of each variant."""
    lines = [
        _line(table, row, measure)
        for table in tables
        for row in table.rows
        for measure in row.means
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(lines))
    return text.getvalue()


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


def plain(value: Any) -> Any:
    """Dataclasses, named tuples and NumPy numbers as what JSON knows; None for NaN."""
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plot_file(section: str, title: str) -> str:
    """A plot's file.

    >>> plot_file("Peers: click world (simulated), test lists", "NDCG@10 by K")
    'peers_click_world_simulated_test_lists_ndcg_10_by_k.svg'
    """
    words = re.findall(r"[a-z0-9]+", f"{section} {title}".lower())
    return "_".join(words) + ".svg"


def _plots(shown: Sequence[Section]) -> Iterator[tuple[str, bytes]]:
    for section in shown:
        for drawn in section.pictures:
            encoded = drawn.light.partition(",")[2]
            yield plot_file(section.title, drawn.title), base64.b64decode(encoded)


def _environment(name: str) -> Environment:
    result = environment("psad_tf.bench", is_html=name == PAGE)
    result.filters |= {
        "measure": report_words.measure_title,
        "p": report_words.p_words,
        "spread": report_words.spread,
        "difference": report_words.difference,
        "percent": report_words.percent,
    }
    result.globals["plot_file"] = plot_file
    return result
