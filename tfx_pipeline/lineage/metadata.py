"""A pipeline's metadata as plain values: what ran, on what, into what.

ML Metadata answers no filter queries any more, so everything is read once and walked in
Python; a store has a dozen executions a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psad_tf.errors import InputError

METADATA_FILE = "metadata.sqlite"


@dataclass(frozen=True)
class Item:
    """An artifact.

    Args:
        number: Its id.
        kind: Its type, such as `Model`.
        uri: Where it was written.
        properties: Name to value, TFX's own and ours.
    """

    number: int
    kind: str
    uri: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One execution of a component.

    Args:
        number: Its id.
        component: The component's name.
        state: `COMPLETE`, `CACHED`, `FAILED`, ...
        ended: Seconds since the epoch, of its last change.
        parameters: Name to value.
        inputs: Key to the ids of artifacts.
        outputs: Key to the ids of artifacts.
    """

    number: int
    component: str
    state: str
    ended: float
    parameters: Mapping[str, Any]
    inputs: Mapping[str, list[int]]
    outputs: Mapping[str, list[int]]


@dataclass(frozen=True)
class Metadata:
    """Everything of a store, by id."""

    steps: Mapping[int, Step]
    items: Mapping[int, Item]


def read_metadata(root: Path) -> Metadata:
    """Reads the metadata of a pipeline's root.

    Raises:
        InputError: There is none.
    """
    file = Path(root) / METADATA_FILE
    if not file.is_file():
        raise InputError(
            f"{root}: no {METADATA_FILE}; give the root of a pipeline that has run"
        )
    # Importing costs a second: not for those who only want an error.
    from ml_metadata.metadata_store import MetadataStore
    from ml_metadata.proto import metadata_store_pb2 as pb

    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    store = MetadataStore(config)
    executions = store.get_executions()
    events = store.get_events_by_execution_ids([e.id for e in executions])
    found = {e.id: ({}, {}) for e in executions}
    for event in events:
        is_output = event.type in (pb.Event.OUTPUT, pb.Event.DECLARED_OUTPUT)
        key = event.path.steps[0].key if event.path.steps else ""
        found[event.execution_id][is_output].setdefault(key, []).append(
            event.artifact_id
        )
    steps = {e.id: _step(e, *found[e.id], pb) for e in executions}
    return Metadata(steps, {a.id: _item(a) for a in store.get_artifacts()})


def _step(execution, inputs, outputs, pb) -> Step:
    return Step(
        execution.id,
        execution.type.rpartition(".")[2],
        pb.Execution.State.Name(execution.last_known_state),
        execution.last_update_time_since_epoch / 1000,
        _values(execution.custom_properties) | _values(execution.properties),
        inputs,
        outputs,
    )


def _item(artifact) -> Item:
    values = _values(artifact.custom_properties) | _values(artifact.properties)
    return Item(artifact.id, artifact.type, artifact.uri, values)


def _values(properties) -> dict[str, Any]:
    """Numbers and texts; what is a structure is TFX's own business."""
    named = ((k, v, v.WhichOneof("value")) for k, v in properties.items())
    return {k: getattr(v, kind) for k, v, kind in named if kind in _PLAIN}


_PLAIN = ("int_value", "double_value", "string_value", "bool_value")
