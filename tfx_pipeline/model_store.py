"""The model store: numbered version folders that a model server watches.

A version appears whole or not at all: it is written under a temporary name beside the
others, verified, synced, and renamed. The newest version is the last blessed model. One
that was rolled back lies there under another name, where servers do not see it, and a
number is never used twice, whatever became of its version.
"""

import errno
import filecmp
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

MODEL_FILE = "saved_model.pb"
TEMPORARY_PREFIX = ".incoming-"
RETIRED_PREFIX = ".retired-"
LAST_NUMBER_FILE = ".last_number"
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
    newest = known[-1]
    return newest if same_model(model, Path(store) / str(newest)) else None


def same_model(first: str | Path, second: str | Path) -> bool:
    """Whether two folders hold the very same SavedModel, byte for byte."""
    first, second = Path(first), Path(second)
    files = _files(first)
    if files != _files(second):
        return False
    _, different, unread = filecmp.cmpfiles(first, second, files, shallow=False)
    return not different and not unread


def publish(
    model: str | Path,
    store: str | Path,
    verify: Callable[[Path], None] | None = None,
) -> int:
    """Copies a SavedModel into the store as its newest version, atomically.

    Args:
        model: Its folder.
        store: The store; made if it is not there.
        verify: Called with the copy before servers can see it; what it raises stops the
            publication and removes the copy.

    Returns:
        The version: the time in seconds, or one more than any number used before where
        that is not greater.
    """
    store = Path(store)
    store.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(store)
    incoming = store / f"{TEMPORARY_PREFIX}{os.getpid()}-{time.time_ns()}"
    try:
        shutil.copytree(model, incoming)
        if verify is not None:
            verify(incoming)
    except Exception:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    for path in (*incoming.rglob("*"), incoming):
        sync(path)
    while True:
        version = max(int(time.time()), last_number(store) + 1)
        try:
            incoming.rename(store / str(version))
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise  # Another publication was faster.
    sync(store)
    return version


def last_number(store: str | Path) -> int:
    """The greatest number that a version of the store ever had; 0 before the first."""
    store = Path(store)
    if not store.is_dir():
        return 0
    file = store / LAST_NUMBER_FILE
    noted = int(file.read_text()) if file.is_file() else 0
    names = (p.name.removeprefix(RETIRED_PREFIX) for p in store.iterdir())
    return max([noted, *(int(name) for name in names if name.isdigit())])


def _files(folder: Path) -> list[str]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return sorted(str(p.relative_to(folder)) for p in found)


def sync(path: Path) -> None:
    """Has a file, or the names in a folder, written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_abandoned(store: Path) -> None:
    for path in store.glob(f"{TEMPORARY_PREFIX}*"):
        if time.time() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
