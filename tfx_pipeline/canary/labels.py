"""Which versions servers hold, and which of them `stable` and `canary` stand for.

All of it stands in the `ModelServerConfig` that servers follow, by
`--model_config_file` and `--model_config_file_poll_wait_seconds`. Clients ask for a
label.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from psad_tf.errors import InputError
from serving.config_messages import read_text_message
from tfx_pipeline.model_store import versions
from tfx_pipeline.store_versions import roll_back

STABLE, CANARY = "stable", "canary"
_HEAD = "# Written by `psad models canary`, `promote` and `watch`.\n"


def read_labels(config: Path) -> dict[str, int]:
    """What the labels of a configuration stand for; none before it is written.

    Raises:
        InputError: It is no `ModelServerConfig` of one model.
    """
    if not config.exists():
        return {}
    message = read_text_message(config, model_server_config_pb2.ModelServerConfig)
    models = message.model_config_list.config
    if len(models) != 1:
        raise InputError(f"{config} has {len(models)} models; name one of a single one")
    return dict(models[0].version_labels)


def start(config: Path, store: Path, version: int, name: str = "psad") -> dict:
    """Has servers hold a version beside the one that clients get now.

    Args:
        config: The file that servers follow; written anew.
        store: The model store.
        version: Gets the label `canary`.
        name: The model's name at the server.

    Returns:
        The labels.

    Raises:
        InputError: There is no such version, or no other one to be `stable`.
    """
    known = versions(store)
    if version not in known:
        raise InputError(f"version {version} is not in {store}; it has {known}")
    stable = read_labels(config).get(STABLE)
    if stable is None:
        others = [v for v in known if v != version]
        if not others:
            raise InputError(
                f"{store} has no version besides {version} to be {STABLE}; serve it "
                "to all: there is nothing to compare it with"
            )
        stable = others[-1]
    if stable == version:
        raise InputError(f"version {version} is {STABLE} already; name a newer one")
    labels = {STABLE: stable, CANARY: version}
    _write(config, store, name, labels)
    return labels


def promote(config: Path, store: Path, name: str = "psad") -> int:
    """Gives all clients the canary; the version that is `stable` now.

    Raises:
        InputError: There is no canary.
    """
    labels = _with_canary(config)
    _write(config, store, name, {STABLE: labels[CANARY]})
    return labels[CANARY]


def withdraw(config: Path, store: Path, name: str = "psad") -> tuple[int, bool]:
    """Takes the canary away from servers and, where it is the newest, out of the store.

    The newest version of the store is what the next model is compared with.

    Returns:
        The version, and whether it was taken out of the store.

    Raises:
        InputError: There is no canary.
    """
    labels = _with_canary(config)
    _write(config, store, name, {STABLE: labels[STABLE]})
    is_newest = versions(store)[-1:] == [labels[CANARY]]
    if is_newest:
        roll_back(store)
    return labels[CANARY], is_newest


def _with_canary(config: Path) -> dict[str, int]:
    labels = read_labels(config)
    if CANARY not in labels:
        raise InputError(f"{config} has no {CANARY}; begin with psad models canary")
    return labels


def _write(config: Path, store: Path, name: str, labels: Mapping[str, int]) -> None:
    """Writes the configuration whole or not at all: servers may look at any time."""
    message = model_server_config_pb2.ModelServerConfig()
    model = message.model_config_list.config.add(
        name=name, base_path=str(store.absolute()), model_platform="tensorflow"
    )
    model.model_version_policy.specific.versions.extend(sorted({*labels.values()}))
    for label, version in labels.items():
        model.version_labels[label] = version
    partial = config.with_name(f".{config.name}-{os.getpid()}")
    partial.write_text(_HEAD + text_format.MessageToString(message))
    partial.rename(config)
