"""The gate's decision as a file, for reports, explanations and lineage."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.errors import InputError
from psad_tf.report_page.record import plain
from tfx_pipeline.gate.check import Check, all_passed
from tfx_pipeline.report.files import LATEST

GATE_FILE = "gate.json"
TEACHER_FILE = "teacher.npz"  # of each validation list, how student and teacher did


def as_record(checks: Sequence[Check], **about: Any) -> dict[str, Any]:
    """The content of `gate.json`.

    Args:
        checks: Of the gate.
        about: What else is to be kept, by name.

    Returns:
        `passed` and `checks`, besides what was given.
    """
    return plain({"passed": all_passed(checks), **about, "checks": list(checks)})


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Writes `gate.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / GATE_FILE).write_text(text + "\n", encoding="utf-8")


def read_record(run: Path) -> dict[str, Any]:
    """The gate's decision of a run.

    Args:
        run: The pipeline's root, a report's folder, or the file itself.

    Raises:
        InputError: There is none.
    """
    places = [run, run / GATE_FILE, run / LATEST / GATE_FILE]
    for file in places:
        if file.is_file():
            try:
                return json.loads(file.read_text(encoding="utf-8"))
            except json.JSONDecodeError as error:
                raise InputError(f"{file} is no gate.json: {error}") from None
    raise InputError(
        f"{run}: no {GATE_FILE} there or in {LATEST}; give the root of a pipeline that "
        "has run to its end, or a report's folder"
    )
