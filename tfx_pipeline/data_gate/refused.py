"""What is left of a run that the data gate stopped: its decision as a short report."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.record import plain, versions
from tfx_pipeline.data_gate.errors import DataRefusedError
from tfx_pipeline.gate.record import GATE_FILE
from tfx_pipeline.report.data_plot import draw_distances
from tfx_pipeline.report.files import LATEST, METRICS, PAGE
from tfx_pipeline.report.page import render

PACKAGES = ("psad-tf", "tfx", "tensorflow-data-validation")


def refuse(content: Mapping[str, Any], root: Path) -> DataRefusedError:
    """Writes the report of a refusal; `psad gate explain` reads it.

    Args:
        content: Of `data_gate.json`.
        root: The pipeline's root; `report/latest` in it is replaced.

    Returns:
        What is to be raised: the failed checks in a sentence, and where to read on.
    """
    failed = [c for c in content["checks"] if c["passed"] is False]
    told = "; ".join(f"{_of(c)}{c['finding']}" for c in failed)
    sentence = f"Not trained: the data gate refused the data ({told})."
    summary = plain(
        {
            "created": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "dataset": content["dataset"],
            "decision": {"pushed": False, "blessed": False, "sentence": sentence},
            "gate": content,
            "versions": versions(PACKAGES),
            "settings": {k: content[k] for k in ("dataset", "spans", "compared_with")},
        }
    )
    pictures = {"data_gate": draw_distances(content["checks"])}
    texts = {
        GATE_FILE: _json(summary["gate"]),
        METRICS: _json(summary),
        PAGE: render(summary, pictures),
    }
    with atomic_folder(root / LATEST, METRICS) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    return DataRefusedError(
        f"{sentence} What would have to change: psad gate explain {root}; report: "
        f"{root / LATEST / PAGE}"
    )


def _of(check: Mapping[str, Any]) -> str:
    """For a schema's anomalies, what they are."""
    return f"{check['remedy']}; " if check["name"] == "schema" else ""


def _json(content: Any) -> str:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return text + "\n"
