"""What a lineage comes to: data, code, settings, figures and verdicts."""

import json
from datetime import UTC, datetime
from typing import Any

from tfx_pipeline.gate.record import GATE_FILE
from tfx_pipeline.lineage.trace import Lineage

SPAN_NAMES = ("span", "spans", "version")


def facts(lineage: Lineage) -> dict[str, Any]:
    """The answer to: what is this version, and why is it served?

    Returns:
        `version`, `pushed` (when and where to), `data`, `code`, `settings`, `training`,
        `compared_with`, `test`, `gate` and `steps`; None for what is gone.
    """
    report = lineage.step("Report")
    metrics = lineage.file("Report", "report", "metrics.json") or {}
    serving = lineage.file("ServingCheck", "infra_blessing", "serving_check.json")
    baseline = lineage.step("LastBlessed")
    return {
        "version": lineage.version,
        "root": str(lineage.root),
        "pushed": _pushed(lineage),
        "data": _data(lineage),
        "code": _code(lineage),
        "settings": json.loads(report.parameters["settings"]) if report else None,
        "training": lineage.file("Trainer", "model_run", "branches.json"),
        "compared_with": _property(lineage, baseline, "version"),
        "test": metrics.get("test", {}).get("overall"),
        "gate": lineage.file("GatedEvaluator", "evaluation", GATE_FILE),
        "serving_check": serving,
        "steps": [_step(lineage, step) for step in lineage.steps],
    }


def when(seconds: float) -> str:
    """A moment for people."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _pushed(lineage: Lineage) -> dict[str, Any]:
    step = lineage.step("StorePusher")
    return {
        "when": when(step.ended),
        "to": _property(lineage, step, "pushed_destination"),
    }


def _data(lineage: Lineage) -> dict[str, Any]:
    prepared = lineage.step("PrepareLog")
    known = prepared.parameters if prepared else {}
    spans = {
        f"{item.kind} {item.number}": {
            k: v for k, v in item.properties.items() if k in SPAN_NAMES
        }
        for item in lineage.items.values()
        if item.kind in ("Examples", "PreparedLog")
    }
    return {
        "dataset": known.get("dataset"),
        "raw": known.get("raw"),
        "fingerprint": _property(lineage, prepared, "raw_fingerprint"),
        "spans": {name: found for name, found in spans.items() if found},
        "counts": lineage.file("ListExampleGen", "examples", "counts.json"),
        "cuts": lineage.file("PrepareLog", "log", "plan.json"),
    }


def _code(lineage: Lineage) -> dict[str, Any]:
    trainer = lineage.step("Trainer")
    custom = json.loads(trainer.parameters["custom_config"]) if trainer else {}
    described = lineage.file(
        "Trainer", "model", "Format-Serving/assets.extra/psad.json"
    )
    return {
        "fingerprint": custom.get("code"),
        "package": (described or {}).get("version"),
    }


def _property(lineage: Lineage, step, name: str) -> Any:
    """A property of the first of a step's outputs that has it."""
    found = step.outputs.values() if step else ()
    numbers = (number for numbers in found for number in numbers)
    values = (lineage.items[number].properties.get(name) for number in numbers)
    return next((value for value in values if value), None)


def _step(lineage: Lineage, step) -> dict[str, Any]:
    return {
        "number": step.number,
        "component": step.component,
        "state": step.state,
        "ended": when(step.ended),
        "reads": {k: _items(lineage, n) for k, n in sorted(step.inputs.items())},
        "writes": {k: _items(lineage, n) for k, n in sorted(step.outputs.items())},
    }


def _items(lineage: Lineage, numbers: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "kind": lineage.items[number].kind,
            "uri": lineage.items[number].uri,
            "place": lineage.places[number] and str(lineage.places[number]),
        }
        for number in numbers
    ]
