"""Data sets that other packages bring along, found by their entry points.

Nothing heavy is imported: clients look up feature sets here too.
"""

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psad_tf.errors import ConfigError

FEATURE_SETS, READERS = "psad_tf.feature_sets", "psad_tf.readers"


def plugin(group: str, name: str) -> Any | None:
    """What an installed package offers under a name; None if there is none.

    Args:
        group: `FEATURE_SETS` or `READERS`.
        name: Of the data set.

    Raises:
        ConfigError: Two packages offer it, or it cannot be loaded.
    """
    entry = _entry(group, name)
    if entry is None:
        return None
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"data set {name!r}: the entry point {entry.value!r} in the group {group} "
            f"cannot be loaded ({error}); install its package again"
        ) from error


def names(group: str) -> list[str]:
    """The names that installed packages offer in a group."""
    return sorted({entry.name for entry in entry_points(group=group)})


def folder_of(group: str, name: str) -> Path | None:
    """The folder of the module that offers something; None if nothing does.

    Args:
        group: As in `plugin`.
        name: As in `plugin`.
    """
    entry = _entry(group, name)
    try:
        spec = entry and find_spec(entry.module)
    except ModuleNotFoundError:  # what `plugin` says when it is wanted
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def folders() -> list[Path]:
    """The folders of all modules that installed packages offer."""
    pairs = (
        (group, name) for group in (FEATURE_SETS, READERS) for name in names(group)
    )
    return sorted({folder for pair in pairs if (folder := folder_of(*pair))})


def _entry(group: str, name: str) -> EntryPoint | None:
    found = {entry.value: entry for entry in entry_points(group=group, name=name)}
    if len(found) > 1:
        raise ConfigError(
            f"data set {name!r}: {sorted(found)} are all offered in the group {group}; "
            "uninstall all packages but one"
        )
    return next(iter(found.values()), None)
