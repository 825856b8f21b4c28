"""One version of a model: its state, and its folder."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from serving.fault import Fault


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
    servable: object | None = None
    in_flight: int = 0


def ready_folders(base_path: Path) -> dict[int, Path]:
    """Version number → folder, of those that hold a SavedModel."""
    return {
        int(path.name): path
        for path in base_path.iterdir()
        if path.name.isascii()
        and path.name.isdecimal()
        and (path / "saved_model.pb").is_file()
    }


def fingerprint(folder: Path) -> tuple:
    """Changes when a file of the folder does; empty when it cannot be read."""
    try:
        stats = [(str(path), path.stat()) for path in sorted(folder.rglob("*"))]
    except OSError:
        return ()
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)
