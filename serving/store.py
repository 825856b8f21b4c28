"""The models of a server, and the thread that watches their folders."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import grpc

from serving.deadline import Deadline
from serving.fault import Fault, invalid, not_found
from serving.labels import Labels
from serving.model_config import ModelConfig
from serving.reload import Reload
from serving.servable import Servable
from serving.version import State, Version
from serving.versions import Versions, not_served

_log = logging.getLogger(__name__)


class ModelStore:
    """Models by name.

    Args:
        configs: What is served.
        poll_seconds: How long to wait between two looks at the folders.
        load: Makes a servable of (name, number, folder).
        allows_unavailable_labels: Whether a new label may name a version that is not
            served (yet).
    """

    def __init__(
        self,
        configs: Iterable[ModelConfig],
        poll_seconds: float = 1.0,
        load=Servable,
        allows_unavailable_labels: bool = False,
    ):
        self._configs = tuple(configs)
        self._load = load
        self._models = {
            c.name: Versions(c.name, c.base_path, load, c.policy) for c in self._configs
        }
        self._removed: dict[str, Versions] = {}  # whose end is told
        self._labels = Labels(allows_unavailable_labels)
        self._poll_seconds = poll_seconds
        self._stopped = threading.Event()
        # Held while versions come and go: by the watch and by a reload.
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="poll")

    def wait_until_loaded(self) -> bool:
        """Loads the first versions of each model; whether it was not stopped before.

        A folder without versions is waited for: its first one may be on the way.

        Raises:
            Fault: A model has versions and none of them loads, or a label names none.
        """
        waiting = None
        while not self._stopped.is_set():
            for model in self._models.values():
                model.poll()
                self._raise_if_broken(model)
            missing = [m.base_path for m in self._models.values() if not m.available]
            if not missing:
                self._labels.assign(self._configs, self._models)
                return True
            if missing != waiting:
                _log.warning("waiting for versions in %s", [*map(str, missing)])
            waiting = missing
            self._stopped.wait(self._poll_seconds)
        return False

    def watch(self) -> None:
        """Starts to follow the folders, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends waiting and watching; what is loaded stays."""
        self._stopped.set()

    def wait_until_stopped(self, seconds: float) -> bool:
        """Until `stop` is called, or the seconds are over; whether it was called."""
        return self._stopped.wait(seconds)

    def close(self) -> None:
        """Stops, and unloads everything when its last request is answered."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()
        with self._changing:
            for model in self._models.values():
                model.close()

    def reload(
        self, configs: Iterable[ModelConfig], remaining: float | None = None
    ) -> None:
        """Serves other models, or others of their versions; all of it or nothing.

        What is new is loaded before anything that is not wanted any more goes, and no
        request under way is dropped.

        `remaining` is seconds until the client's deadline, which is looked at between
        two models: loading cannot be interrupted.

        Raises:
            Fault: Something new cannot be served (in time); then nothing has changed.
        """
        configs = tuple(configs)
        clock = Deadline(remaining)
        with clock.held(self._changing):
            if self._stopped.is_set():
                raise Fault(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
            change = Reload(self._configs, configs, self._models, self._load)
            try:
                change.load(clock.check)
                self._labels.assign(configs, change.models)
            except Fault:
                change.undo()
                raise
            known = self._removed | self._models
            self._models, self._configs = change.models, configs
            change.finish()
            self._removed = {n: known[n] for n in known.keys() - change.models.keys()}

    @contextmanager
    def lease(self, model_spec) -> Iterator[Servable]:
        """The servable that a `ModelSpec` asks for, kept loaded meanwhile.

        Raises:
            Fault: It asks for nothing, or for something that is not served.
        """
        model, version = self._acquire(model_spec)
        try:
            yield version.servable
        finally:
            model.release(version)

    def statuses(self, model_spec) -> list[Version]:
        """The state of the versions that a `ModelSpec` asks about, newest first.

        Raises:
            Fault: There are none.
        """
        name = model_spec.name
        model = (self._removed | self._models).get(name)
        versions = model.snapshot() if model else []
        if not versions:
            raise not_found(f"Could not find any versions of model {name}")
        number = self._number(model_spec)
        chosen = [v for v in versions if number in (None, v.number)]
        if not chosen:
            raise not_found(f"Could not find version {number} of model {name}")
        return chosen

    def knows(self, name: str) -> bool:
        """Whether there is a model of that name."""
        return name in self._models

    def served(self) -> dict[str, set[int]]:
        """Model name → the versions that are served."""
        return {name: model.available for name, model in self._models.items()}

    def _acquire(self, model_spec):
        if not model_spec.name:
            raise invalid("ModelSpec has no name specified.")
        while True:
            number, model = self._number(model_spec), self._models.get(model_spec.name)
            if model is None:
                raise not_served(model_spec.name, number)
            try:
                return model, model.acquire(number)
            except Fault:
                # A reload can replace it, or move the label, between the lines above.
                now = self._models.get(model_spec.name), self._number(model_spec)
                if now == (model, number):
                    raise

    def _number(self, model_spec) -> int | None:
        if model_spec.version_label:
            return self._labels.number(model_spec.name, model_spec.version_label)
        return model_spec.version.value if model_spec.HasField("version") else None

    def _watch(self):
        while not self._stopped.wait(self._poll_seconds):
            with self._changing:
                for model in self._models.values():
                    try:
                        model.poll()
                    except Exception:  # the watch must outlive any surprise
                        _log.exception("looking for versions of %s failed", model.name)

    @staticmethod
    def _raise_if_broken(model):
        """What is wrong with the newest version, when no version could be served."""
        failed = [v for v in model.snapshot() if v.state is State.END and v.fault]
        if not model.available and failed:
            raise failed[0].fault
