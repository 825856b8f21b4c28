"""The models of a server, and the thread that watches their folders."""

import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from serving.fault import invalid, not_found
from serving.servable import Servable
from serving.versions import State, Version, Versions

_log = logging.getLogger(__name__)


class ModelStore:
    """Models by name.

    Args:
        base_paths: Model name → the folder of its versions.
        poll_seconds: How long to wait between two looks at the folders.
        load: Makes a servable of (name, number, folder).
    """

    def __init__(
        self, base_paths: Mapping[str, Path], poll_seconds: float = 1.0, load=Servable
    ):
        self._models = {
            name: Versions(name, Path(path), load) for name, path in base_paths.items()
        }
        self._poll_seconds = poll_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="poll")

    def wait_until_loaded(self) -> bool:
        """Loads a first version of each model; whether it was not stopped before.

        A folder without versions is waited for: its first one may be on the way.

        Raises:
            Fault: A model has versions and none of them loads.
        """
        waiting = None
        while not self._stopped.is_set():
            for model in self._models.values():
                model.poll()
                self._raise_if_broken(model)
            missing = [m.base_path for m in self._models.values() if not m.is_available]
            if not missing:
                return True
            if missing != waiting:
                _log.warning(
                    "waiting for a version in %s", ", ".join(map(str, missing))
                )
            waiting = missing
            self._stopped.wait(self._poll_seconds)
        return False

    def watch(self) -> None:
        """Starts to follow the folders, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the waiting and the watching; what is loaded stays."""
        self._stopped.set()

    def wait_until_stopped(self) -> None:
        """Until `stop` is called."""
        self._stopped.wait()

    def close(self) -> None:
        """Stops, and unloads everything when its last request is answered."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()
        for model in self._models.values():
            model.close()

    def lease(self, model_spec) -> AbstractContextManager[Servable]:
        """The servable that a `ModelSpec` asks for, kept loaded meanwhile.

        Raises:
            Fault: It asks for nothing, or for something that is not served.
        """
        if not model_spec.name:
            raise invalid("ModelSpec has no name specified.")
        if model_spec.version_label:
            raise invalid(
                f"Unrecognized servable version label: {model_spec.version_label}"
            )
        number = _number(model_spec)
        if model_spec.name not in self._models:
            request = f"Latest({model_spec.name})"
            if number is not None:
                request = f"Specific({model_spec.name}, {number})"
            raise not_found(f"Servable not found for request: {request}")
        return self._models[model_spec.name].lease(number)

    def statuses(self, model_spec) -> list[Version]:
        """The state of the versions that a `ModelSpec` asks about, newest first.

        Raises:
            Fault: There are none.
        """
        model = self._models.get(model_spec.name)
        versions = model.snapshot() if model else []
        if not versions:
            raise not_found(f"Could not find any versions of model {model_spec.name}")
        number = _number(model_spec)
        chosen = [v for v in versions if number in (None, v.number)]
        if not chosen:
            raise not_found(
                f"Could not find version {number} of model {model_spec.name}"
            )
        return chosen

    def _watch(self):
        while not self._stopped.wait(self._poll_seconds):
            for model in self._models.values():
                try:
                    model.poll()
                except Exception:  # the watch must outlive any surprise
                    _log.exception("looking for versions of %s failed", model.name)

    @staticmethod
    def _raise_if_broken(model):
        """What is wrong with the newest version, when no version could be served."""
        failed = [v for v in model.snapshot() if v.state is State.END and v.fault]
        if not model.is_available and failed:
            raise failed[0].fault


def _number(model_spec) -> int | None:
    return model_spec.version.value if model_spec.HasField("version") else None
