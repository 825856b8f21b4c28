"""Made-up raw files of the public logs, with what is known of them beside."""

import json
from collections.abc import Callable
from pathlib import Path

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.logs.generate_ad import generate_ad
from psad_tf.data.logs.generate_avito import generate_avito
from psad_tf.data.logs.generate_prm_public import generate_prm_public
from psad_tf.errors import ConfigError

ANSWERS = "answers.json"
MIN_ROWS = 100

_Generate = Callable[[int, Path, int, float], dict]
_GENERATORS: dict[str, _Generate] = {
    "ad": generate_ad,
    "prm_public": generate_prm_public,
    "avito": generate_avito,
}


def generate(
    dataset: str, rows: int, out: Path, seed: int = 0, bad_share: float = 0.001
) -> dict:
    """Writes raw files in a data set's format, with its quirks.

    Equal arguments give equal bytes. The memory that is used grows with the number of
    users and items, not with that of rows.

    Args:
        dataset: Its name.
        rows: How many lines the largest file has, its header not counted.
        out: Folder to write, complete or not at all: the raw files and `answers.json`.
        seed: Of everything.
        bad_share: Of lines that are malformed, and of lines that stand twice.

    Returns:
        What `answers.json` says: for each file, how many lines are of what kind.

    Raises:
        ConfigError: There is no generator for the data set, or a number is too small
            or too large.
    """
    name = dataset.replace("-", "_")
    if name not in _GENERATORS:
        known = ", ".join(sorted(_GENERATORS))
        raise ConfigError(f"dataset={dataset!r} has no generator; give one of {known}")
    if rows < MIN_ROWS:
        raise ConfigError(f"rows={rows}; give {MIN_ROWS} or more")
    if not 0 <= bad_share <= 0.2:
        raise ConfigError(f"bad_share={bad_share}; give a share from 0 to 0.2")
    with atomic_folder(Path(out), ANSWERS) as folder:
        files = _GENERATORS[name](rows, folder, seed, bad_share)
        answers = {"dataset": name, "rows": rows, "seed": seed, **files}
        (folder / ANSWERS).write_text(json.dumps(answers, indent=1) + "\n")
    return answers
