"""The model store: numbered version folders that a model server watches.

A version appears whole or not at all: it is written under a temporary name beside the
others, synced, and renamed. The newest version is the last blessed model.
"""

import filecmp
import os
import shutil
import time
from pathlib import Path

MODEL_FILE = "saved_model.pb"
TEMPORARY_PREFIX = ".incoming-"
# A temporary folder older than this was left by a killed push.
ABANDONED_AFTER_SECONDS = 3600


def has_model(path: str | Path) -> bool:
    """Whether a folder holds a SavedModel."""
    return (Path(path) / MODEL_FILE).is_file()


def versions(store: str | Path) -> list[int]:
    """The complete versions in a store, oldest first; none when there is no store."""
    store = Path(store)
    if not store.is_dir():
        return []
    return sorted(
        int(p.name) for p in store.iterdir() if p.name.isdigit() and has_model(p)
    )


def newest_if_same(model: str | Path, store: str | Path) -> int | None:
    """The newest version, if it holds this very SavedModel, byte for byte."""
    known = versions(store)
    if not known:
        return None
    model, newest = Path(model), Path(store) / str(known[-1])
    files = _files(model)
    if files != _files(newest):
        return None
    _, different, unread = filecmp.cmpfiles(model, newest, files, shallow=False)
    return None if different or unread else known[-1]


def publish(model: str | Path, store: str | Path) -> int:
    """Copies a SavedModel into the store as its newest version, atomically.

    Returns:
        The version: the time in seconds, or one more than the newest where that is not
        greater.
    """
    store = Path(store)
    store.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(store)
    taken = [int(p.name) for p in store.iterdir() if p.name.isdigit()]
    version = max([int(time.time()), *(v + 1 for v in taken)])
    incoming = store / f"{TEMPORARY_PREFIX}{version}-{os.getpid()}"
    shutil.copytree(model, incoming)
    for path in (*incoming.rglob("*"), incoming):
        _sync(path)
    incoming.rename(store / str(version))
    _sync(store)
    return version


def _files(folder: Path) -> list[str]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(str(p.relative_to(folder)) for p in found)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_abandoned(store: Path) -> None:
    for path in store.glob(f"{TEMPORARY_PREFIX}*"):
        if time.time() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
