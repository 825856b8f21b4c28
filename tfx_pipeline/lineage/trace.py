"""Walks from a pushed version upstream, to the first file that was read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psad_tf.errors import InputError
from tfx_pipeline.lineage.metadata import Item, Metadata, Step

CARDS = "cards"
DONE = ("COMPLETE", "CACHED")
ARTIFACTS = "artifacts"  # under the pipeline's root


@dataclass(frozen=True)
class Lineage:
    """How a version came about.

    Args:
        version: Its number.
        root: The pipeline's root, as it was given now.
        steps: Every execution that had a part in it, in the order they ran; the last
            are the push and the report on it.
        items: Id to artifact, of all that these read and wrote.
        places: Id to the artifact's folder now; None where it is gone.
    """

    version: str
    root: Path
    steps: Sequence[Step]
    items: Mapping[int, Item]
    places: Mapping[int, Path | None]

    def step(self, component: str) -> Step | None:
        """The execution of a component that had a part in it."""
        return next((s for s in self.steps if s.component == component), None)

    def file(self, component: str, output: str, name: str) -> Any:
        """The content of a JSON file in an output's folder; None where it is gone."""
        step = self.step(component)
        for number in step.outputs.get(output, []) if step else []:
            place = self.places[number]
            if place is not None and (place / name).is_file():
                return json.loads((place / name).read_text(encoding="utf-8"))
        return None


def trace(metadata: Metadata, root: Path, version: str) -> Lineage:
    """The lineage of a version.

    Artifacts are looked for where they were written, then at the same place under the
    root as it is given: a root that was moved as a whole keeps its lineage.

    Args:
        metadata: Of the root.
        root: The pipeline's root.
        version: The number under which it was pushed.

    Raises:
        InputError: No push of the root has that number.
    """
    pushed = _pushed(metadata)
    if version not in pushed:
        known = ", ".join(sorted(pushed)) or "none"
        raise InputError(
            f"version {version} was not pushed by {root}; its versions: {known}"
        )
    steps = _upstream(metadata, pushed[version].number)
    steps += _reports(metadata, pushed[version].number)
    numbers = {
        number
        for step in steps
        for named in (step.inputs, step.outputs)
        for found in named.values()
        for number in found
    }
    items = {n: metadata.items[n] for n in sorted(numbers)}
    places = {n: _place(item.uri, root) for n, item in items.items()}
    return Lineage(version, root, steps, items, places)


def _pushed(metadata: Metadata) -> dict[str, Item]:
    """Version to the first artifact that says that it was pushed under that number."""
    found = {}
    for item in metadata.items.values():
        if item.kind == "PushedModel" and item.properties.get("pushed") == 1:
            found.setdefault(str(item.properties["pushed_version"]), item)
    return found


def _upstream(metadata: Metadata, number: int) -> list[Step]:
    """The executions behind an artifact, in the order they ran."""
    makers = {}
    for step in sorted(metadata.steps.values(), key=lambda s: s.number):
        # A cached step names the outputs of the one that made them.
        for made in _numbers(step.outputs) if step.state in DONE else ():
            makers.setdefault(made, step)
    found, waiting = {}, [number]
    while waiting:
        step = makers.get(waiting.pop())
        if step is not None and step.number not in found:
            found[step.number] = step
            waiting += _numbers(step.inputs)
    return [found[n] for n in sorted(found)]


def _reports(metadata: Metadata, number: int) -> list[Step]:
    """The first finished report that read the push."""
    readers = [
        step
        for step in metadata.steps.values()
        if step.component == "Report"
        and number in _numbers(step.inputs)
        and step.state in DONE
    ]
    return sorted(readers, key=lambda s: s.number)[:1]


def _numbers(named: Mapping[str, list[int]]) -> list[int]:
    return [number for found in named.values() for number in found]


def _place(uri: str, root: Path) -> Path | None:
    if Path(uri).exists():
        return Path(uri)
    behind = uri.partition(f"/{ARTIFACTS}/")[2]
    moved = root / ARTIFACTS / behind
    return moved if behind and moved.exists() else None


def root_of(store: Path, version: str) -> Path:
    """The pipeline's root that pushed a version, from its card in the model store.

    Raises:
        InputError: The store has no card of that version.
    """
    file = store / CARDS / f"{version}.json"
    if not file.is_file():
        raise InputError(
            f"{file}: no such card; name the pipeline's root with --root instead"
        )
    return Path(json.loads(file.read_text(encoding="utf-8"))["root"])
