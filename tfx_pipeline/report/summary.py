"""All figures of a run as one JSON document; the page shows this and nothing else."""

from dataclasses import asdict
from typing import Any

import numpy as np

from psad_tf.report_page.record import plain, versions
from tfx_pipeline.report.data import describe_data
from tfx_pipeline.report.examples import RULE, ShownList
from tfx_pipeline.report.gate import read_gate, read_measured
from tfx_pipeline.report.inputs import ReportInputs, read_json
from tfx_pipeline.report.plots import VALIDATION_NDCG
from tfx_pipeline.report.results import HEADLINE, SERVED, Comparison, TestResults
from tfx_pipeline.report.words import decide

PACKAGES = (
    "psad-tf tensorflow keras tfx apache-beam tensorflow-model-analysis "
    "tensorflow-transform tensorflow-data-validation tensorflow-recommenders numpy"
).split()
# The Evaluator and this report measure the same lists with the same mathematics.
AGREEMENT = 1e-6


def summarize(
    inputs: ReportInputs,
    results: TestResults,
    cold_start: list[Comparison],
    shown: list[ShownList],
) -> dict[str, Any]:
    """The content of `metrics.json`; plain values, and None for what is not finite."""
    gate = read_gate(inputs)
    serving_check = read_json(inputs.infra_blessing / "serving_check.json")
    decision = describe_decision(inputs, gate)
    measured = read_measured(inputs.evaluation)
    return plain(
        {
            "created": inputs.created,
            "dataset": inputs.settings["dataset"],
            "decision": decision,
            "gate": gate,
            "test": {
                "lists": len(results.lists),
                "overall": results.overall,
                "slices": results.slices,
                "by_history": results.by_history,
                "cold_start": cold_start,
            },
            "evaluator": {
                "agrees": _agrees(measured, results),
                "measured": measured,
            },
            "shown_lists": {"rule": RULE, "lists": shown},
            "data": describe_data(inputs),
            "training": describe_training(inputs),
            "serving_check": {
                name: value for name, value in serving_check.items() if name != "checks"
            },
            "model": read_json(inputs.model / "assets.extra" / "psad.json"),
            "versions": versions(PACKAGES),
            "settings": inputs.settings,
        }
    )


def describe_refused(inputs: ReportInputs, gate: dict[str, Any]) -> dict[str, Any]:
    """The content of `metrics.json` for a model that gave no order to measure."""
    return plain(
        {
            "created": inputs.created,
            "dataset": inputs.settings["dataset"],
            "decision": describe_decision(inputs, gate),
            "gate": gate,
            "versions": versions(PACKAGES),
            "settings": inputs.settings,
        }
    )


def describe_decision(inputs: ReportInputs, gate: dict[str, Any]) -> dict[str, Any]:
    """What became of the model, and in one `sentence` why."""
    served = read_json(inputs.infra_blessing / "serving_check.json")
    of_server = {check["finding"] for check in served["checks"]}
    failed = [check["finding"] for check in gate["checks"] if check["passed"] is False]
    decision = decide(
        inputs.model_blessed,
        inputs.infra_blessed,
        inputs.pushed,
        inputs.pushed_version,
        inputs.pushed_destination,
        [finding for finding in failed if finding not in of_server],
        served["reason"],
    )
    return {**asdict(decision), "sentence": decision.sentence()}


def describe_training(inputs: ReportInputs) -> dict[str, Any]:
    """The history, the epoch whose weights were kept (from 1), and both branches."""
    history = read_json(inputs.model_run / "history.json")
    # The first of equals, as the early stopping keeps it.
    kept = int(np.argmax(history[VALIDATION_NDCG])) + 1
    return {
        "history": history,
        "epochs": len(history[VALIDATION_NDCG]),
        "kept_epoch": kept,
        "validation": read_json(inputs.model_run / "branches.json"),
    }


def _agrees(measured, results: TestResults) -> bool:
    """Whether the Evaluator found the same NDCG@10 over all lists."""
    (value,) = (
        m.value for m in measured if (m.partition, m.metric) == ("all", HEADLINE)
    )
    return abs(value - results.overall[HEADLINE].means[SERVED].mean) <= AGREEMENT
