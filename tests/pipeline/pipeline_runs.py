"""Runs of the real pipeline through the command line's code, and what they recorded."""

import json
from dataclasses import dataclass
from pathlib import Path

import quick_beam  # noqa: F401
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as pb
from quick_graphs import quick_graphs

from psad_tf import cli

COMPONENTS = (
    "PrepareLog ListExampleGen StatisticsGen ImportSchemaGen ExampleValidator "
    "DataGate WarmStart Transform Trainer LastBlessed GatedEvaluator ServingCheck "
    "StorePusher KeepOrigin Report"
).split()
# A model that trains in seconds and yet learns enough to pass the gate.
SMALL = {
    "model": {
        "hidden_dim": 16,
        "num_layers": 1,
        "block_size": 5,
        "refine_size": 0,
        "beam_width": 1,
    },
    "training": {"epochs": 3, "learning_rate": 0.003},
    "gate": {"serving_lists": 8},
}
# Bounds that let every model pass which answers at all.
OPEN_GATE = {
    "min_gain_over_initial": -1.0,
    "max_gain_over_initial": 1.0,
    "min_gain_over_blessed": -1.0,
    "max_gain_over_blessed": 1.0,
    "max_constant_share": 1.0,
    "min_slice_gain_over_initial": -1.0,
    "min_slice_gain_over_blessed": -1.0,
    "max_slice_gap": 2.0,
    "max_calibration_error": 1.0,
    "max_teacher_gap": 1.0,
    "min_teacher_correlation": -1.1,
    "serving_lists": 4,
    "resamples": 1000,
}
# A log of a few days: every user's first list is among the training lists.
OPEN_DATA_GATE = {"max_number_skew": 1.0, "max_text_skew": 1.0}


@dataclass(frozen=True)
class Recorded:
    """One component of one run, as the metadata has it.

    Args:
        state: `COMPLETE`, `CACHED`, `FAILED`, `RUNNING`, ...
        outputs: Output name → its artifact.
    """

    state: str
    outputs: dict[str, pb.Artifact]

    def folder(self, output: str) -> Path:
        return Path(self.outputs[output].uri)


@dataclass(frozen=True)
class PipelineRun:
    """What a run of the command line left.

    Args:
        code: The exit code.
        root: The pipeline's root.
        components: The run's components by name.
        versions: The versions in the model store after it, sorted.
    """

    code: int
    root: Path
    components: dict[str, Recorded]
    versions: list[str]

    def states(self) -> dict[str, str]:
        return {name: found.state for name, found in self.components.items()}

    def metrics(self) -> dict:
        """The report's `metrics.json`."""
        file = self.components["Report"].folder("report") / "metrics.json"
        return json.loads(file.read_text())


def run_pipeline(root: Path, settings: dict, *flags: str) -> PipelineRun:
    """Runs `psad pipeline run` in this process."""
    with quick_graphs():
        code = cli.main(arguments(root, settings, *flags))
    pushed = [name for name in store_names(root) if name.isdigit()]
    return PipelineRun(code, root, recorded_runs(root)[-1], pushed)


def serialized(run: PipelineRun, split: str) -> list[bytes]:
    """The examples that ExampleGen wrote of a split."""
    import tensorflow as tf

    folder = run.components["ListExampleGen"].folder("examples") / f"Split-{split}"
    files = sorted(str(p) for p in folder.iterdir())
    return list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


def arguments(root: Path, settings: dict, *flags: str) -> list[str]:
    """The command line of a run; writes the settings beside the root."""
    config = root.parent / f"{root.name}.json"
    config.write_text(json.dumps(settings))
    return ["pipeline", "run", "--root", str(root), "--config", str(config), *flags]


def store_names(root: Path) -> list[str]:
    """Everything that stands in the run's model store."""
    store = root / "models"
    return sorted(p.name for p in store.iterdir()) if store.exists() else []


def recorded_runs(root: Path) -> list[dict[str, Recorded]]:
    """Each run of a root, oldest first: component → what was recorded of it."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(root / "metadata.sqlite")
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    store = MetadataStore(config)
    contexts = store.get_contexts_by_type("pipeline_run")
    return [
        {
            execution.type.rpartition(".")[2]: _recorded(store, execution)
            for execution in store.get_executions_by_context(context.id)
        }
        for context in sorted(contexts, key=lambda c: c.id)
    ]


def _recorded(store: MetadataStore, execution: pb.Execution) -> Recorded:
    names = {
        event.artifact_id: event.path.steps[0].key
        for event in store.get_events_by_execution_ids([execution.id])
        if event.type == pb.Event.OUTPUT
    }
    artifacts = store.get_artifacts_by_id(list(names))
    state = pb.Execution.State.Name(execution.last_known_state)
    return Recorded(state, {names[a.id]: a for a in artifacts})
