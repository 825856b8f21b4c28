"""The report of `psad bench roofline`: what is reached of what the device allows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from psad_tf.bench.efficiency_content import INFERENCE, TRAINING
from psad_tf.bench.report_files import write_json
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sheets import Part, Report, Sheet, write_sheets
from psad_tf.bench.report_words import percent
from psad_tf.bench.roofline.pictures import pictures_of
from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.formats import NONE, number
from psad_tf.report_page.record import plain

JSON, TABLES = "roofline.json", "roofline.md"
Rows = Sequence[Mapping[str, Any]]


def write_roofline(content: Mapping[str, Any], run: Run, folder: Path) -> None:
    """Writes `roofline.json`, `.md`, `index.html` and the plots.

    Args:
        content: `ceilings`, the fields of `Ceilings`; `rows`, from `grid.measure`;
            `training`, each from `throughput.measure_training`.
        run: How it came about.
        folder: An earlier report in it is replaced.
    """
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, plain({"run": run, **content}))
        render_roofline(new / JSON, new)


def render_roofline(json_path: Path, folder: Path) -> None:
    """Makes `roofline.md`, `index.html` and the plots from the JSON file alone.

    Args:
        json_path: What `write_roofline` wrote.
        folder: Where to; other files in it stay.
    """
    content = json.loads(Path(json_path).read_text(encoding="utf-8"))
    rows, ceilings = content["rows"], content["ceilings"]
    run = Run(**content["run"])
    rates = ", ".join(
        f"{1e-12 * rate:.0f} TFLOP/s in {name}"
        for name, rate in ceilings["products"].items()
    )
    lead = (
        f"{run.device}. Measured at best: {rates}; "
        f"{1e-12 * ceilings['bytes']:.2f} TB/s read and written."
    )
    found = [_times(rows, phase) for phase in (INFERENCE, TRAINING)]
    sheets = [sheet for sheet in found if sheet.rows]
    if content["training"]:
        sheets.append(_training(content["training"]))
    sheets.append(_counts(rows))
    part = Part("Roofline", False, lead, sheets, [*pictures_of(rows)])
    write_sheets(Report("Roofline", run, "roofline.txt", [part]), folder, TABLES)


def _sorted(rows: Rows) -> list[Mapping[str, Any]]:
    def key(row):
        s = row["shape"]
        return (
            row["method"],
            s["candidates"],
            s["block"],
            row["precision"],
            row["batch"],
        )

    return sorted(rows, key=key)


def _name(row) -> str:
    shape, usual = row["shape"], row["method"]
    if usual != "PSAD-G":
        return usual
    refined = "refined" if shape["refine"] else "not refined"
    return f"{usual}, K = {shape['block']}, {refined}"


def _times(rows: Rows, phase: str) -> Sheet:
    lines = [_time(row) for row in _sorted(r for r in rows if r["phase"] == phase)]
    head = [
        "method",
        "M",
        "precision",
        "lists",
        "clock",
        "µs",
        "10th to 90th percentile",
    ]
    head += ["million lists/s", "host's µs", "of the floor", "of its own traffic"]
    return Sheet(phase.capitalize(), "One call.", head, lines, words=(0, 2, 4))


def _time(row) -> list[str]:
    low, high = 1e6 * np.percentile(row["seconds"], (10, 90))
    moving = row["moving"]
    return [
        _name(row),
        str(row["shape"]["candidates"]),
        row["precision"],
        str(row["batch"]),
        row["clock"],
        number(1e6 * row["median"], 1),
        f"{low:.1f} to {high:.1f}",
        number(1e-6 * row["lists_per_second"], 3),
        number(1e6 * float(np.median(row["host_seconds"])), 1),
        percent(row["share"]),
        NONE if moving is None else percent(moving / row["median"]),
    ]


def _training(found: Rows) -> Sheet:
    lines = [
        [
            str(row["batch"]),
            str(row["devices"]),
            row["precision"],
            number(1e-3 * float(np.median(row["lists_per_second"])), 1),
            number(1e-3 * float(np.median(row["resident"])), 1),
            number(1e-3 * row["input_per_second"], 1),
        ]
        for row in found
    ]
    head = ["lists a step", "devices", "precision", "thousand lists/s"]
    head += ["without the input", "the input alone"]
    caption = (
        "Generator and scorer, batches drawn at random from the host's memory; "
        f"medians of {len(found[0]['lists_per_second'])} windows."
    )
    return Sheet("Training", caption, head, lines, words=(2,))


def _counts(rows: Rows) -> Sheet:
    lines = list(_counted(rows))
    head = ["method", "M", "MFLOP a list, from shapes", "the compiler's"]
    head += ["least KB a list", "KB moved a list, compiled"]
    return Sheet(
        "Operations and bytes of a list",
        "Of the largest batch in float32, or in what there is.",
        head,
        lines,
    )


def _counted(rows: Rows) -> Iterator[list[str]]:
    best = {}
    for row in _sorted(rows):
        key = _name(row), row["phase"], row["shape"]["candidates"]
        rank = row["precision"] == "float32", row["batch"]
        if key not in best or rank > best[key][0]:
            best[key] = rank, row
    for (name, phase, candidates), (_, row) in best.items():
        of_list = 1 / row["batch"]
        yield [
            name if phase == INFERENCE else f"{name}, {phase}",
            str(candidates),
            number(1e-6 * row["operations"] * of_list, 2),
            number(row["flops"] and 1e-6 * row["flops"] * of_list, 2),
            number(1e-3 * row["least_bytes"] * of_list, 1),
            number(row["bytes"] and 1e-3 * row["bytes"] * of_list, 1),
        ]
