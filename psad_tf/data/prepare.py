"""What must be known before lists can be built, such as the cuts in time.

The CLI and the TFX pipeline both prepare here and then build with
`psad_tf.data.beam_lists.BuildLists`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.prepared import PLAN, write_json
from psad_tf.data.settings import LogSettings
from psad_tf.data.sources import source, writes_lists
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import feature_set

if TYPE_CHECKING:
    import apache_beam as beam

__all__ = ["prepare", "raw_folder", "write_json"]


def raw_folder(
    dataset: str, raw: Path | str | None = None, size: str | None = None
) -> Path | str:
    """The folder of the raw files: the one given, or (None) the cache, filled first.

    Args:
        dataset: The name of a feature set.
        raw: A folder of raw files; of logs, also a URL that Beam can read.
        size: Which of the sizes that a simulated data set comes in.

    Raises:
        ConfigError: The data set or the size is unknown, or the folder is elsewhere.
        DataError: The raw files can't be fetched.
    """
    if raw is None:
        return source(dataset).raw_folder(size)
    if "://" not in str(raw):
        return Path(raw)
    if not writes_lists(dataset):
        raise ConfigError(
            f"raw={raw}: the files of {dataset} are read from a local folder; copy them"
        )
    return raw


def prepare(
    raw: Path | str | None,
    out: Path,
    dataset: str,
    seed: int = 0,
    max_bad_share: float = 0.01,
    settings: LogSettings | None = None,
    pipeline: "beam.Pipeline | None" = None,
) -> None:
    """Plans the cuts in time, and makes what else the lists of a data set need.

    Args:
        raw: Folder of the raw files; None fetches them.
        out: Folder to write: `plan.json` (data set, seed, cuts, the raw data's
            fingerprint), `counts.json` (of each raw file, lines read and set aside, by
            reason), `items.json` (id → title) and what the `Source` adds to them. It
            appears complete or not at all.
        dataset: The name of a feature set.
        seed: Of the first stage's training, or of a simulated world.
        max_bad_share: The accepted share of unusable lines in any one file.
        settings: Choices for raw logs.
        pipeline: What reads raw logs; None makes one.

    Raises:
        DataError: The raw files can't be used, or the training failed.
        ConfigError: A setting is wrong, or not for this data set.
    """
    name = feature_set(dataset).name
    with atomic_folder(Path(out), PLAN) as folder:
        raw = raw_folder(dataset, raw)
        chosen = source(dataset, settings, pipeline)
        plan = chosen.prepare(raw, folder, seed, max_bad_share)
        write_json(folder / PLAN, {"dataset": name, "seed": seed, **plan})
