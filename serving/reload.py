"""A change of what a server serves: prepared, then made or dropped as a whole.

TensorFlow Serving remembers a configuration that it then rejects, and the next correct
one fails against it. Here nothing is changed before everything is loaded.
"""

from collections.abc import Callable, Iterable, Mapping

import grpc

from serving.fault import Fault
from serving.model_config import ModelConfig
from serving.versions import Versions


class Reload:
    """From the models of one configuration to those of another.

    `load` prepares; then either `undo`, or the caller puts `models` in force and calls
    `finish`.

    Args:
        before: The configuration in force.
        after: The one that is wanted.
        models: The models in force, by name.
        load: Makes a servable of (name, number, folder).

    Attributes:
        models: The models of the wanted configuration, by name: one whose folder stays
            the same keeps its loaded versions.
    """

    def __init__(
        self,
        before: Iterable[ModelConfig],
        after: Iterable[ModelConfig],
        models: Mapping[str, Versions],
        load,
    ):
        known = {config.name: config for config in before}
        self._before = models
        self._configs = tuple(after)
        self._changed = {c.name for c in self._configs if known.get(c.name) != c}
        self.models = {}
        for config in self._configs:
            model = models.get(config.name)
            if model is None or model.base_path != config.base_path:
                model = Versions(
                    config.name, config.base_path, load, policy=config.policy
                )
            self.models[config.name] = model

    def load(self, check_time: Callable[[], None] = lambda: None) -> None:
        """Loads what the changed models need, and unloads nothing.

        Args:
            check_time: Raises a Fault once nobody waits any more.

        Raises:
            Fault: A changed model has no version to serve, or lacks a named one, or it
                is too late.
        """
        for config in self._configs:
            if config.name in self._changed:
                loaded = self.models[config.name].load(config.policy)
                self._check(config, loaded)
                check_time()

    def undo(self) -> None:
        """Unloads what only the wanted configuration would have served."""
        for name, model in self.models.items():
            if self._before.get(name) is model:
                model.poll()
            else:
                model.close()

    def finish(self) -> None:
        """Unloads what is not wanted any more, once the new models are in force."""
        for config in self._configs:
            self.models[config.name].policy = config.policy
            self.models[config.name].poll()
        for name, model in self._before.items():
            if self.models.get(name) is not model:
                model.close()

    def _check(self, config, loaded):
        missing = config.policy.numbers - loaded
        if loaded and not missing:
            return
        faults = {
            v.number: v.fault.message
            for v in self.models[config.name].snapshot()
            if v.fault and v.number not in loaded
        }
        said = "; ".join(f"version {n}: {m}" for n, m in faults.items())
        which = f"versions {sorted(missing)}" if missing else "no version"
        raise Fault(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"model {config.name} cannot be served from {config.base_path}: {which} "
            f"{'are missing or do' if missing else 'is there that does'} not load"
            + (f" ({said})" if said else ""),
        )
