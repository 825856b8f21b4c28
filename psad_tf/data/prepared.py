"""The folder that `prepare` writes: the names of its files, and how they are read."""

import json
from collections.abc import Mapping
from pathlib import Path

from psad_tf.data.errors import DataError

PLAN, ITEMS, COUNTS = "plan.json", "items.json", "counts.json"
FATES = "fates.json"  # where lists are stored, by name: how many lists and rows


def read_plan(prepared: Path, expected: Mapping[str, object]) -> dict:
    """The plan of a prepared folder.

    Args:
        prepared: What `prepare` wrote.
        expected: Entries that the plan must have, such as the data set's name.

    Raises:
        DataError: There is no plan, or it is of another data set or log.
    """
    try:
        plan = read_json(Path(prepared, PLAN))
    except OSError as error:
        raise DataError(
            f"{prepared} holds no {PLAN} ({error.strerror}); call prepare() first"
        ) from error
    for key, value in expected.items():
        if plan.get(key) != value:
            raise DataError(
                f"{prepared} was prepared for {key}={plan.get(key)!r}, but the raw "
                f"data has {value!r}; prepare it again"
            )
    return plan


def read_json(path: Path) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path: Path, content: dict) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
