"""How results came about: what a reader needs to get the same ones."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from psad_tf.report_page.record import versions

PACKAGES = "psad-tf keras jax tensorflow lightgbm numpy scipy".split()


def host() -> str:
    """The machine this runs on."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Run:
    """How the results came about.

    Args:
        command: What reproduces them.
        device: What the models were trained on, such as a GPU's name.
        host, versions, created: Of this process, unless given.
    """

    command: str
    device: str
    host: str = field(default_factory=host)
    versions: Mapping[str, str] = field(default_factory=lambda: versions(PACKAGES))
    created: str = field(default_factory=now)
