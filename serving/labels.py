"""Names for versions, such as `stable` and `canary`."""

from collections.abc import Iterable, Mapping

import grpc

from serving.fault import Fault, invalid
from serving.model_config import ModelConfig
from serving.versions import Versions


class Labels:
    """The versions that labels stand for; replaced as a whole.

    Args:
        allows_unavailable: Whether a label that is new may name a version that is not
            served (yet). One that exists may be moved to a served version only.
    """

    def __init__(self, allows_unavailable: bool = False):
        self._allows_unavailable = allows_unavailable
        self._numbers: dict[str, dict[str, int]] = {}

    def assign(
        self, configs: Iterable[ModelConfig], models: Mapping[str, Versions]
    ) -> None:
        """Makes the labels of these configurations the ones in force.

        Raises:
            Fault: A label names a version that is not served; then none has changed.
        """
        for config in configs:
            for label, number in config.labels.items():
                self._check(config.name, label, number, models[config.name].available)
        self._numbers = {config.name: dict(config.labels) for config in configs}

    def number(self, name: str, label: str) -> int:
        """The version that a label of a model stands for.

        Raises:
            Fault: There is no such label.
        """
        try:
            return self._numbers[name][label]
        except KeyError:
            raise invalid(f"Unrecognized servable version label: {label}") from None

    def _check(self, name, label, number, available):
        before = self._numbers.get(name, {}).get(label, number)
        if number in available or (self._allows_unavailable and before == number):
            return
        raise Fault(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"Request to assign label to version {number} of model {name}, which is "
            "not currently available for inference",
        )
