"""What TFMA measured, and what the gate decided, as the report tells it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma

from tfx_pipeline.evaluation import slice_key
from tfx_pipeline.gate.record import GATE_FILE
from tfx_pipeline.report.inputs import ReportInputs, read_json

ALL_LISTS = "all"


@dataclass(frozen=True)
class Measured:
    """A metric of a group of lists, as TFMA measured it; no interval: None."""

    partition: str
    label: str
    metric: str
    value: float
    low: float | None
    high: float | None


def read_measured(evaluation: Path) -> list[Measured]:
    """Every metric in every group of lists, all lists first.

    Args:
        evaluation: The Evaluator's result folder.
    """
    found = []
    for key, outputs in _load(evaluation).slicing_metrics:
        partition, label = key[0] if key else (ALL_LISTS, "all lists")
        partition = str(partition).removeprefix(slice_key(""))
        for metric, value in outputs[""][""].items():
            if numbers := _numbers(value):
                found.append(Measured(partition, str(label), metric, *numbers))
    return sorted(found, key=_place)


def read_gate(inputs: ReportInputs) -> dict[str, Any]:
    """The whole gate: the Evaluator's checks and those of the serving check.

    Returns:
        `passed`, the number of test `lists`, whether the model could be `measured`, the
        `blessed_version` that it was compared with, and `checks`.
    """
    gate = read_json(inputs.evaluation / GATE_FILE)
    served = read_json(inputs.infra_blessing / "serving_check.json")
    return gate | {
        "passed": gate["passed"] and served["passed"],
        "checks": [*gate["checks"], *served["checks"]],
    }


def _place(measured: Measured) -> tuple:
    """All lists first, then by partition, groups by the number they begin with."""
    number = re.match(r"\d+", measured.label)
    is_part = measured.partition != ALL_LISTS
    return is_part, measured.partition, int(number[0]) if number else 0, measured.label


def _load(evaluation: Path):
    result = tfma.load_eval_result(str(evaluation))
    if result.config is None or not result.slicing_metrics:
        raise FileNotFoundError(
            f"{evaluation}: no result of the Evaluator; give its `evaluation` folder"
        )
    return result


def _numbers(value: Mapping) -> tuple[float, float | None, float | None] | None:
    """A metric's value and interval; None for what is no number (plots, messages)."""
    if bounded := value.get("boundedValue"):
        keys = ("value", "lowerBound", "upperBound")
        return tuple(float(bounded[k]) for k in keys)
    if "doubleValue" in value:
        return float(value["doubleValue"]), None, None
    return None
