"""The versions of one model on disk, and those that are served.

A version is loaded and warmed up before the one that it replaces goes, and that goes
when its last request is answered.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from serving.fault import Fault, not_found
from serving.policy import VersionPolicy
from serving.servable import Servable
from serving.version import State, Version, fingerprint, ready_folders

_log = logging.getLogger(__name__)
_ENDED_KEPT = 10
_NEWEST = VersionPolicy()


class Versions:
    """The versions of one model.

    `poll`, `load` and `close` are called by one thread at a time, the rest by any.

    Args:
        name: The model's name.
        base_path: The folder whose numbered folders are versions.
        load: Makes a servable of (name, number, folder).
        policy: Which versions are served.
    """

    def __init__(self, name: str, base_path: Path, load=Servable, policy=_NEWEST):
        self.name = name
        self.base_path = base_path
        self.policy = policy
        self._load = load
        self._versions: dict[int, Version] = {}
        self._lock = threading.Lock()

    def poll(self) -> None:
        """Looks at the folder once and serves what should be served now.

        While the folder cannot be read, nothing changes. While there are versions to
        serve and none of them loads, what is served stays.
        """
        try:
            found = ready_folders(self.base_path)
            wanted = self._choose(found, self.policy)
        except OSError as error:
            _log.warning("cannot read %s: %s", self.base_path, error)
            return
        if wanted or not self.policy.eligible(found):
            self._retire_all_but(wanted)

    def load(self, policy: VersionPolicy) -> set[int]:
        """Loads what another policy would serve, and unloads nothing.

        Returns:
            The versions that it would serve.
        """
        try:
            return self._choose(ready_folders(self.base_path), policy)
        except OSError as error:
            _log.warning("cannot read %s: %s", self.base_path, error)
            return set()

    @property
    def available(self) -> set[int]:
        """The versions that are served."""
        with self._lock:
            return {v.number for v in self._served()}

    @contextmanager
    def lease(self, number: int | None = None) -> Iterator[Servable]:
        """The servable of a version, or of the newest one, kept loaded meanwhile.

        Raises:
            Fault: That version is not served.
        """
        version = self.acquire(number)
        try:
            yield version.servable
        finally:
            self.release(version)

    def acquire(self, number: int | None = None) -> Version:
        """A version that stays loaded until it is released; see `lease`."""
        with self._lock:
            served = [v for v in self._served() if number in (None, v.number)]
            if not served:
                raise not_served(self.name, number)
            version = max(served, key=lambda v: v.number)
            version.in_flight += 1
            return version

    def release(self, version: Version) -> None:
        """Gives an acquired version back."""
        with self._lock:
            version.in_flight -= 1
        self._unload_if_idle(version)

    def snapshot(self) -> list[Version]:
        """The known versions, newest first."""
        with self._lock:
            return [self._versions[n] for n in sorted(self._versions, reverse=True)]

    def close(self) -> None:
        """Serves nothing any more."""
        self._retire_all_but(set())

    def _served(self):
        return (v for v in self._versions.values() if v.state is State.AVAILABLE)

    def _choose(self, found, policy):
        return policy.choose(found, lambda n: self._loads(n, found[n]))

    def _loads(self, number, folder) -> bool:
        known = self._versions.get(number)
        files = fingerprint(folder)
        if known is not None and known.state is State.AVAILABLE:
            self._warn_if_rewritten(known, files, folder)
            return True
        # A folder that did not load is tried again when its files change.
        if known is not None and known.fault is not None and known.files == files:
            return False
        return self._try(Version(number, files), folder)

    def _warn_if_rewritten(self, version, files, folder):
        if files != version.files:
            version.files = files
            what = "which has no effect; publish the change under a new number"
            _log.warning("%s changed after it was loaded, %s", folder, what)

    def _try(self, version, folder) -> bool:
        """Whether the version loaded and is now served."""
        with self._lock:
            version.state = State.LOADING
            self._versions[version.number] = version
        try:
            servable = self._load(self.name, version.number, folder)
            self._refuse_if_changing(version, servable, folder)
        except Fault as fault:
            _log.error("version %d of %s: %s", version.number, self.name, fault)
            with self._lock:
                version.state, version.fault = State.END, fault
        else:
            with self._lock:
                version.state, version.servable = State.AVAILABLE, servable
            _log.info("serving version %d of %s", version.number, self.name)
        self._forget_ended()
        return version.state is State.AVAILABLE

    def _refuse_if_changing(self, version, servable, folder):
        """A folder that is still being copied can load and lack something."""
        if fingerprint(folder) != version.files:
            servable.close()
            raise Fault(
                grpc.StatusCode.UNAVAILABLE,
                f"{folder} changed while it was loaded; publish versions by a rename",
            )

    def _retire_all_but(self, kept):
        with self._lock:
            retired = [v for v in self._served() if v.number not in kept]
            for version in retired:
                version.state = State.UNLOADING
        for version in retired:
            self._unload_if_idle(version)

    def _unload_if_idle(self, version):
        with self._lock:
            if version.state is not State.UNLOADING or version.in_flight:
                return
            version.state = State.END
            servable, version.servable = version.servable, None
        servable.close()
        _log.info("unloaded version %d of %s", version.number, self.name)
        self._forget_ended()

    def _forget_ended(self):
        with self._lock:
            ended = [n for n, v in self._versions.items() if v.state is State.END]
            for number in sorted(ended)[:-_ENDED_KEPT]:
                del self._versions[number]


def not_served(name: str, number: int | None = None) -> Fault:
    """What a request for a model, or for one of its versions, is told."""
    what = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return not_found(f"Servable not found for request: {what}")
