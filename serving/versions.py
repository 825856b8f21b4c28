"""The versions of one model on disk, and the one that is served.

The newest version that loads is served. A new one is loaded and warmed up before the
old one goes, and the old one goes when its last request is answered.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from serving.fault import Fault, not_found
from serving.servable import Servable

_log = logging.getLogger(__name__)
_ENDED_KEPT = 10


class State(IntEnum):
    """Numbered as `ModelVersionStatus.State`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """One version's state; `files` are those that were (tried to be) loaded."""

    number: int
    files: tuple
    state: State = State.START
    fault: Fault | None = None
    servable: Servable | None = None
    in_flight: int = 0


class Versions:
    """The versions of one model.

    Args:
        name: The model's name.
        base_path: The folder whose numbered folders are versions.
        load: Makes a servable of (name, number, folder).
    """

    def __init__(self, name: str, base_path: Path, load=Servable):
        self.name = name
        self.base_path = base_path
        self._load = load
        self._versions: dict[int, Version] = {}
        self._current: Version | None = None
        self._lock = threading.Lock()

    def poll(self) -> None:
        """Looks at the folder once and serves what should be served now.

        Called from one thread. While the folder cannot be read, nothing changes.
        """
        try:
            self._serve_newest(_ready_folders(self.base_path))
        except OSError as error:
            _log.warning("cannot read %s: %s", self.base_path, error)

    @property
    def is_available(self) -> bool:
        """Whether a version is served."""
        return self._current is not None

    @contextmanager
    def lease(self, number: int | None = None) -> Iterator[Servable]:
        """The servable of a version, or of the current one, kept loaded meanwhile.

        Raises:
            Fault: That version is not served.
        """
        with self._lock:
            version = self._current
            if version is None or number not in (None, version.number):
                request = f"Latest({self.name})"
                if number is not None:
                    request = f"Specific({self.name}, {number})"
                raise not_found(f"Servable not found for request: {request}")
            version.in_flight += 1
        try:
            yield version.servable
        finally:
            with self._lock:
                version.in_flight -= 1
            self._unload_if_idle(version)

    def snapshot(self) -> list[Version]:
        """The known versions, newest first."""
        with self._lock:
            return [self._versions[n] for n in sorted(self._versions, reverse=True)]

    def close(self) -> None:
        """Serves nothing any more."""
        self._switch(None)

    def _serve_newest(self, found):
        for number in sorted(found, reverse=True):
            if self._current and number == self._current.number:
                self._warn_if_rewritten(found[number])
                return
            files = _fingerprint(found[number])
            if self._failed_before(number, files):
                continue
            if self._try(Version(number, files), found[number]):
                return
        if not found:
            self._switch(None)

    def _warn_if_rewritten(self, folder):
        files = _fingerprint(folder)
        if files != self._current.files:
            self._current.files = files
            _log.warning(
                "%s changed after it was loaded, which has no effect; publish the "
                "change under a new number",
                folder,
            )

    def _failed_before(self, number, files):
        """Whether just these files did not load; a repaired folder is tried again."""
        known = self._versions.get(number)
        return known is not None and known.fault is not None and known.files == files

    def _try(self, version, folder) -> bool:
        """Whether the version loaded and is now served."""
        with self._lock:
            version.state = State.LOADING
            self._versions[version.number] = version
        try:
            version.servable = self._load(self.name, version.number, folder)
        except Fault as fault:
            _log.error("version %d of %s: %s", version.number, self.name, fault)
            with self._lock:
                version.state, version.fault = State.END, fault
        else:
            self._switch(version)
        self._forget_ended()
        return version.state is State.AVAILABLE

    def _switch(self, new):
        with self._lock:
            old, self._current = self._current, new
            if new is not None:
                new.state = State.AVAILABLE
                _log.info("serving version %d of %s", new.number, self.name)
            if old is not None:
                old.state = State.UNLOADING
        if old is not None:
            self._unload_if_idle(old)

    def _unload_if_idle(self, version):
        with self._lock:
            if version.state is not State.UNLOADING or version.in_flight:
                return
            version.state = State.END
            servable, version.servable = version.servable, None
        servable.close()
        _log.info("unloaded version %d of %s", version.number, self.name)

    def _forget_ended(self):
        with self._lock:
            ended = [n for n, v in self._versions.items() if v.state is State.END]
            for number in sorted(ended)[:-_ENDED_KEPT]:
                del self._versions[number]


def _ready_folders(base_path: Path) -> dict[int, Path]:
    """Version number → folder, of those that hold a SavedModel."""
    return {
        int(path.name): path
        for path in base_path.iterdir()
        if path.name.isascii()
        and path.name.isdecimal()
        and (path / "saved_model.pb").is_file()
    }


def _fingerprint(folder: Path) -> tuple:
    """Changes when a file of the folder does."""
    stats = ((str(path), path.stat()) for path in sorted(folder.rglob("*")))
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)
