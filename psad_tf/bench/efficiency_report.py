"""The report of `psad bench efficiency`: what a step and a ranking cost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.bench.efficiency_content import BASES, content_of
from psad_tf.bench.efficiency_pictures import pictures_of
from psad_tf.bench.efficiency_sheets import (
    paper_sheet,
    phase_sheets,
    share_sheet,
    target_sheet,
)
from psad_tf.bench.report_files import csv_text, write_json
from psad_tf.bench.report_results import BENCHES
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sheets import Part, Report, write_sheets
from psad_tf.data.atomic import atomic_folder

JSON, CSV, TABLES = "efficiency.json", "efficiency.csv", "efficiency.md"


def write_efficiency(
    measured: Sequence[Mapping[str, Any]], run: Run, folder: Path
) -> None:
    """Writes `efficiency.json`, `.csv`, `.md`, `index.html` and the plots.

    Args:
        measured: Rows with `method`, `phase` (`inference` or `training step`),
            `batch`, `seconds` (one a round, of rounds that timed all rows in turn),
            `parameters`, `flops` (NaN if unknown), `knows_history` and `note`; and,
            with phase `student's share`, `method`, `batch` and `share`.
        run: How they came about.
        folder: An earlier report in it is replaced.

    Raises:
        InputError: The rows don't fit together, or `folder` holds something else.
    """
    content = content_of(measured, run)
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, content)
        (new / CSV).write_text(csv_text([*_lines(content)]), encoding="utf-8")
        render_efficiency(new / JSON, new)


def render_efficiency(json_path: Path, folder: Path) -> None:
    """Makes `efficiency.md`, `index.html` and the plots from the JSON file alone.

    Args:
        json_path: What `write_efficiency` wrote.
        folder: Where to; other files in it stay.
    """
    content = json.loads(Path(json_path).read_text(encoding="utf-8"))
    rows = content["rows"]
    title, run = BENCHES["efficiency"], Run(**content["run"])
    sheets = [target_sheet(content["targets"]), *phase_sheets(rows)]
    if content["shares"]:
        sheets.append(share_sheet(content["shares"]))
    part = Part(
        f"{title}: time of a call",
        False,
        f"{run.device}; {len(rows[0]['seconds'])} rounds.",
        [*sheets, paper_sheet(rows)],
        [*pictures_of(rows)],
    )
    report = Report(title, run, "efficiency.txt", [part])
    write_sheets(report, folder, TABLES)


def _lines(content) -> Iterator[dict[str, Any]]:
    """A line for each method, phase and batch."""
    for row in content["rows"]:
        ratios = {f"ratio_to_{base.lower()}": row["ratios"].get(base) for base in BASES}
        yield {
            "method": row["method"],
            "phase": row["phase"],
            "batch": row["batch"],
            "rounds": len(row["seconds"]),
            "median_seconds": row["median"],
            "p10_seconds": row["p10"],
            "p90_seconds": row["p90"],
            **{name: ratio and ratio["ratio"] for name, ratio in ratios.items()},
            "share": None,
            "parameters": row["parameters"],
            "flops": row["flops"],
            "knows_history": row["knows_history"],
            "note": row["note"],
        }
    for row in content["shares"]:
        # What it does not have is left empty.
        yield {name: row[name] for name in ("method", "phase", "batch", "share")}
