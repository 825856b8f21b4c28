"""Which versions servers hold, and which of them `stable` and `canary` stand for.

Clients ask for a label. Both labels are always there: while no version is tried out,
`canary` stands for the stable one, so that nobody who asks for it is turned away.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from psad_tf.errors import InputError
from serving.config_messages import read_text_message
from tfx_pipeline.canary.servers import configuration, tell
from tfx_pipeline.model_store import versions
from tfx_pipeline.store_versions import roll_back

STABLE, CANARY = "stable", "canary"
CONFIG_FILE = "models.config"
_HEAD = "# Written by `psad models canary`, `promote`, `withdraw` and `release`.\n"


@dataclass(frozen=True)
class Site:
    """Where versions are served.

    Args:
        store: The model store.
        config: The `ModelServerConfig` that servers start with, and may follow.
        name: The model's name at the servers.
        servers: `host:port` of each that is told at once; without any, servers are to
            look at the file again and again.
        base_path: The store as servers see it.
    """

    store: Path
    config: Path
    name: str = "psad"
    servers: tuple[str, ...] = ()
    base_path: Path | None = None

    def message(self, labels: Mapping[str, int], held: set[int]):
        """The configuration with these labels and versions."""
        path = self.base_path or self.store.absolute()
        return configuration(self.name, path, labels, held)


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


def start(site: Site, version: int) -> dict[str, int]:
    """Has servers hold a version beside the one that clients get now.

    Returns:
        The labels.

    Raises:
        InputError: There is no such version, or no other one to be `stable`; or it does
            not load at a server, and nothing has changed.
    """
    known = _known(site, version)
    stable = read_labels(site.config).get(STABLE)
    if stable is None:
        others = [v for v in known if v != version]
        if not others:
            raise InputError(
                f"{site.store} has no version besides {version} to be {STABLE}; give "
                f"it to all: psad models promote {version}"
            )
        stable = others[-1]
    if stable == version:
        raise InputError(f"version {version} is {STABLE} already; name a newer one")
    labels = {STABLE: stable, CANARY: version}
    _change(site, labels)
    return labels


def promote(site: Site, version: int | None = None) -> int:
    """Gives all clients a version, by default the canary; the one that is stable now.

    Raises:
        InputError: There is no canary, or no such version; or a server was not told.
    """
    if version is None:
        version = _with_canary(site)[CANARY]
    else:
        _known(site, version)
    _change(site, {STABLE: version, CANARY: version})
    return version


def withdraw(site: Site) -> tuple[int, bool]:
    """Takes the canary away from servers and, where it is the newest, out of the store.

    The newest version of the store is what the next model is compared with.

    Returns:
        The version, and whether it was taken out of the store.

    Raises:
        InputError: There is no canary, or a server was not told.
    """
    labels = _with_canary(site)
    version, stable = labels[CANARY], labels[STABLE]
    try:
        _change(site, {STABLE: stable, CANARY: stable})
    finally:  # a server that is down must not keep a bad version in the store
        is_newest = versions(site.store)[-1:] == [version]
        if is_newest:
            roll_back(site.store)
    return version, is_newest


def _known(site: Site, version: int) -> list[int]:
    known = versions(site.store)
    if version not in known:
        raise InputError(f"version {version} is not in {site.store}; it has {known}")
    return known


def _with_canary(site: Site) -> dict[str, int]:
    labels = read_labels(site.config)
    if labels.get(CANARY) == labels.get(STABLE):
        raise InputError(
            f"{site.config} has no {CANARY}; begin with psad models canary"
        )
    return labels


def _change(site: Site, labels: Mapping[str, int]) -> None:
    """Moves labels: versions come before, and go after, what points to them.

    `tensorflow_model_server` gives labels to loaded versions alone, and unloads what a
    configuration does not name before it has moved the labels: in one step, requests
    would fail.
    """
    before, wanted = read_labels(site.config), {*labels.values()}
    both = wanted | {*before.values()}
    steps = [site.message(labels, wanted)]
    if site.servers:
        steps = [site.message(before, both), site.message(labels, both), *steps]
    is_loading = not wanted <= {*before.values()}
    old = site.config.read_text() if site.config.exists() else None
    untold = {}
    for step in steps:
        _write(site.config, _HEAD + text_format.MessageToString(step))
        untold = tell(site.servers, step)
        if untold and is_loading:
            _undo(site, before, old)
            break
        is_loading = False
    if untold:
        told = "; ".join(f"{server}: {why}" for server, why in untold.items())
        stable = read_labels(site.config).get(STABLE)
        again = f"; mend it, then: psad models promote {stable}" if stable else ""
        raise InputError(f"not done by all servers: {told}{again}")


def _undo(site: Site, before: Mapping[str, int], old: str | None) -> None:
    if old is None:
        site.config.unlink()
    else:
        _write(site.config, old)
        tell(site.servers, site.message(before, {*before.values()}))


def _write(config: Path, text: str) -> None:
    """Writes the configuration whole or not at all: servers may look at any time."""
    partial = config.with_name(f".{config.name}-{os.getpid()}")
    partial.write_text(text)
    partial.rename(config)
