"""What a report is made of: the folders that a run's components wrote."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class ReportInputs:
    """The outcome of one pipeline run.

    Args:
        examples: ExampleGen's folder: `Split-<name>/` and `counts.json`.
        log: The prepared log's folder: `plan.json`, `counts.json`, `items.json`.
        statistics: StatisticsGen's folder: `Split-<name>/FeatureStats.pb`.
        anomalies: ExampleValidator's folder: `Split-<name>/SchemaDiff.pb`.
        data_gate: The data gate's folder: `data_gate.json`.
        model: The SavedModel's folder.
        model_run: The training's logs: `history.json`, `branches.json`.
        evaluation: The Evaluator's results.
        infra_blessing: The serving check's folder: `serving_check.json`.
        model_blessed: Whether the Evaluator blessed the model.
        infra_blessed: Whether the serving check did.
        pushed: Whether the Pusher pushed it.
        pushed_version: The version, or empty.
        pushed_destination: The folder in the model store, or empty.
        settings: The pipeline's configuration, as `PipelineConfig` names its fields.
        created: When the report was made, for display.
    """

    examples: Path
    log: Path
    statistics: Path
    anomalies: Path
    data_gate: Path
    model: Path
    model_run: Path
    evaluation: Path
    infra_blessing: Path
    model_blessed: bool
    infra_blessed: bool
    pushed: bool
    pushed_version: str
    pushed_destination: str
    settings: dict[str, Any]
    created: str

    def split(self, name: str) -> Path:
        """The folder of a split's examples."""
        return self.examples / f"Split-{name}"


def read_json(file: Path) -> Any:
    """A component's JSON file.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: It is no JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file} is missing: the component that writes it did not finish; run the "
            "pipeline again from there"
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is no valid JSON ({error}); remove it") from None
