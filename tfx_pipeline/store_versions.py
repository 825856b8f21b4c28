"""What people do with the versions in a model store: see, roll back, restore, prune."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psad_tf.errors import InputError
from tfx_pipeline.model_store import (
    LAST_NUMBER_FILE,
    RETIRED_PREFIX,
    TEMPORARY_PREFIX,
    has_model,
    last_number,
    sync,
    versions,
)

DESCRIPTION_FILE = "assets.extra/psad.json"
SERVED, KEPT, RETIRED = "served", "kept", "rolled back"


@dataclass(frozen=True)
class Version:
    """A version as people see it.

    Args:
        number: Its number.
        state: `SERVED`, the newest; `KEPT`, an older one; or `RETIRED`.
        published: When, in UTC.
        size: Bytes.
        dataset: It was trained on; "" where the model does not say.
        metrics: On validation lists, as the export noted them.
    """

    number: int
    state: str
    published: datetime
    size: int
    dataset: str
    metrics: dict[str, float]


def described(store: str | Path) -> list[Version]:
    """Every version of a store, newest first.

    Raises:
        InputError: There is no such folder.
    """
    store = _existing(store)
    known = versions(store)
    found = {v: (store / str(v), KEPT) for v in known}
    if known:
        found[known[-1]] = store / str(known[-1]), SERVED
    found |= {
        v: (store / f"{RETIRED_PREFIX}{v}", RETIRED)
        for v in retired(store)
        if has_model(store / f"{RETIRED_PREFIX}{v}")
    }
    return [_version(v, *found[v]) for v in sorted(found, reverse=True)]


def _version(number, folder, state):
    file = folder / DESCRIPTION_FILE
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return Version(
        number,
        state,
        datetime.fromtimestamp(folder.stat().st_mtime, UTC),
        sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        known.get("dataset", ""),
        known.get("validation", {}),
    )


def retired(store: str | Path) -> list[int]:
    """The versions that were rolled back, oldest first."""
    found = (
        p.name.removeprefix(RETIRED_PREFIX)
        for p in Path(store).glob(f"{RETIRED_PREFIX}*")
    )
    return sorted(int(name) for name in found if name.isdigit())


def roll_back(store: str | Path) -> tuple[int, int]:
    """Takes the newest version away, so that servers go back to the one before.

    Returns:
        The version that was taken away, and the newest one now.

    Raises:
        InputError: There is no version before it.
    """
    store, known = Path(store), versions(store)
    if len(known) < 2:
        raise InputError(
            f"{store} has versions {known}: there is none to go back to; publish a "
            "good one instead"
        )
    newest = str(known[-1])
    (store / newest).rename(store / f"{RETIRED_PREFIX}{newest}")
    sync(store)
    return known[-1], known[-2]


def restore(store: str | Path, version: int) -> None:
    """Brings back a version that was rolled back.

    Raises:
        InputError: It is none of those.
    """
    store, known = Path(store), retired(store)
    if version not in known:
        raise InputError(
            f"version {version} was not rolled back; those of {store} that were are "
            f"{known}"
        )
    (store / f"{RETIRED_PREFIX}{version}").rename(store / str(version))
    sync(store)


def prune(store: str | Path, keep: int, spared: Iterable[int] = ()) -> list[int]:
    """Deletes all versions but the newest ones, and what was rolled back.

    Args:
        store: The store.
        keep: How many of the versions that servers see stay, at least 1.
        spared: Versions that stay however old they are.

    Returns:
        The versions that were deleted.

    Raises:
        InputError: `keep` is below 1, or there is no such folder.
    """
    if keep < 1:
        raise InputError(f"keep={keep}; servers need a version: keep at least 1")
    store = _existing(store)
    file = store / LAST_NUMBER_FILE
    last = last_number(store)
    if last:
        partial = store / f"{TEMPORARY_PREFIX}number-{os.getpid()}"
        partial.write_text(f"{last}\n")
        sync(partial)
        partial.rename(file)
    gone = {v: store / f"{RETIRED_PREFIX}{v}" for v in retired(store)}
    gone |= {v: store / str(v) for v in {*versions(store)[:-keep]} - {*spared}}
    for version, folder in gone.items():
        # Hidden first: a server must not see half a version.
        hidden = store / f"{TEMPORARY_PREFIX}gone-{version}"
        folder.rename(hidden)
        shutil.rmtree(hidden)
    sync(store)
    return sorted(gone)


def _existing(store: str | Path) -> Path:
    if not Path(store).is_dir():
        raise InputError(f"{store}: no such folder; give the folder of versions")
    return Path(store)
