"""A made-up metadata store: two pushes, the second one after a cached run."""

import json
from pathlib import Path

from gate_records import CHECKS, write_gate
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as pb

CODE = json.dumps({"code": "c0de", "settings": "{}"})
SETTINGS = json.dumps({"seed": 3, "model": {}, "training": {"epochs": 2}, "root": "/r"})
FILES = {
    "log": {"plan.json": {"train_end": 86_400}},
    "examples": {"counts.json": {"lists/test": 3, "lists/train": 5}},
    "model_run": {"branches.json": {"student_ndcg_at_10": 0.8}},
    "infra_blessing": {
        "serving_check.json": {"passed": True, "reason": "every answer agrees"}
    },
    "report": {"metrics.json": {}},
}


class Writer:
    """Writes executions with their artifacts, and the artifacts' folders."""

    def __init__(self, root: Path):
        config = pb.ConnectionConfig()
        root.mkdir(parents=True, exist_ok=True)
        config.sqlite.filename_uri = str(root / "metadata.sqlite")
        config.sqlite.connection_mode = 3
        self.root, self.store = root, MetadataStore(config)

    def run(self, component, reads, writes, state="COMPLETE", **parameters):
        """One execution.

        Args:
            component: Its name.
            reads: Key to an artifact's id.
            writes: Key to an artifact's id, or to a new one's (type, properties).
            state: Of the execution.
            parameters: Its parameters.

        Returns:
            Key to the id of what it wrote.
        """
        kind = self.store.put_execution_type(pb.ExecutionType(name=f"x.y.{component}"))
        execution = pb.Execution(
            type_id=kind, last_known_state=pb.Execution.State.Value(state)
        )
        _fill(execution.custom_properties, parameters)
        (number,) = self.store.put_executions([execution])
        written = {
            key: made
            if isinstance(made, int)
            else self._artifact(component, key, *made)
            for key, made in writes.items()
        }
        events = [_event(number, pb.Event.INPUT, *pair) for pair in reads.items()]
        events += [_event(number, pb.Event.OUTPUT, *pair) for pair in written.items()]
        self.store.put_events(events)
        return written

    def _artifact(self, component, key, kind, properties) -> int:
        type_id = self.store.put_artifact_type(pb.ArtifactType(name=kind))
        count = len(self.store.get_artifacts()) + 1
        folder = self.root / "artifacts" / component / key / str(count)
        folder.mkdir(parents=True)
        for name, content in FILES.get(key, {}).items():
            (folder / name).write_text(json.dumps(content))
        artifact = pb.Artifact(type_id=type_id, uri=str(folder))
        _fill(artifact.custom_properties, properties)
        (number,) = self.store.put_artifacts([artifact])
        return number


def _event(execution, kind, key, artifact) -> pb.Event:
    event = pb.Event(execution_id=execution, artifact_id=artifact, type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = 0
    return event


def _fill(properties, values) -> None:
    for name, value in values.items():
        kind = "int_value" if isinstance(value, int) else "string_value"
        setattr(properties[name], kind, value)


def write_store(root: Path) -> None:
    """Version 17 of a first run; 18 of a second one that took its lists from there."""
    writer = Writer(root)
    log = writer.run(
        "PrepareLog",
        {},
        {"log": ("PreparedLog", {"raw_fingerprint": "f00d"})},
        raw="/raw",
        dataset="shop",
    )
    examples = writer.run(
        "ListExampleGen", log, {"examples": ("Examples", {"span": 4})}
    )
    writer.run("Orphan", examples, {"nothing": ("Nothing", {})})
    _train_and_push(writer, examples, "17", {})
    writer.run("PrepareLog", {}, log, state="CACHED", raw="/raw", dataset="shop")
    writer.run("ListExampleGen", log, examples, state="CACHED")
    _train_and_push(writer, examples, "18", {"version": "17"})


def _train_and_push(writer, examples, version: str, blessed: dict) -> None:
    baseline = writer.run("LastBlessed", {}, {"baseline_model": ("Model", blessed)})
    writer.run("Trainer", examples, {}, state="FAILED", custom_config="{}")
    trained = writer.run(
        "Trainer",
        examples,
        {"model": ("Model", {}), "model_run": ("ModelRun", {})},
        custom_config=CODE,
    )
    model = {"model": trained["model"]}
    judged = writer.run(
        "GatedEvaluator",
        examples | model | baseline,
        {"evaluation": ("ModelEvaluation", {}), "blessing": ("ModelBlessing", {})},
    )
    (evaluation,) = writer.store.get_artifacts_by_id([judged["evaluation"]])
    write_gate(Path(evaluation.uri), CHECKS)
    infra = writer.run("ServingCheck", model, {"infra_blessing": ("InfraBlessing", {})})
    pushed = {"pushed": 1, "pushed_version": version}
    pushed |= {"pushed_destination": f"/store/{version}"}
    push = writer.run(
        "StorePusher",
        model | {"model_blessing": judged["blessing"]} | infra,
        {"pushed_model": ("PushedModel", pushed)},
    )
    writer.run("Report", push, {"report": ("PipelineReport", {})}, settings=SETTINGS)
