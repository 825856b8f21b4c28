"""What must be known before lists can be built: the cuts in time and the first stage.

The CLI and the TFX pipeline both prepare here and then build with
`psad_tf.data.beam_lists.BuildLists`.
"""

import json
from collections.abc import Callable
from pathlib import Path

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.errors import DataError
from psad_tf.data.fetch import movielens_folder
from psad_tf.data.first_stage import FirstStage
from psad_tf.data.first_stage_process import train_first_stage
from psad_tf.data.lists import Context
from psad_tf.data.log import Log
from psad_tf.data.movielens import read_movielens
from psad_tf.data.quarantine import Quarantine
from psad_tf.data.windows import Cuts, chunks, plan_cuts
from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet

PLAN, TOWERS, COUNTS = "plan.json", "towers.npz", "counts.json"
QUARANTINE, ITEMS = "quarantine.tsv", "items.json"
SHARES = (0.3, 0.5, 0.1)  # of lists: first stage, train, validation; the rest is test

# Data set → where its raw files are fetched to, and how they are read.
_SOURCES: dict[str, tuple[Callable[[], Path], Callable[[Path, Quarantine], Log]]] = {
    "movielens_100k": (movielens_folder, read_movielens),
}


def raw_folder(dataset: str, raw: Path | None = None) -> Path:
    """The folder of the raw files: the one given, or (None) the cache, filled first."""
    fetch, _ = _SOURCES[feature_set(dataset).name]
    return Path(raw) if raw is not None else fetch()


def read_log(dataset: str, raw: Path | None, quarantine: Quarantine) -> Log:
    """Reads the raw log of a data set, from a folder or (None) from the cache."""
    _, read = _SOURCES[feature_set(dataset).name]
    return read(raw_folder(dataset, raw), quarantine)


def prepare(
    raw: Path | None,
    out: Path,
    dataset: str,
    seed: int = 0,
    max_bad_share: float = 0.01,
) -> None:
    """Reads the log, plans the cuts in time and trains the first stage.

    Args:
        raw: Folder of the raw files; None fetches them.
        out: Folder to write: `plan.json` (data set, seed, cuts, the log's
            fingerprint), `towers.npz` (see `FirstStage`), `counts.json` (of each raw
            file, lines read and set aside, by reason), `quarantine.tsv` and
            `items.json` (id → title). It appears complete or not at all.
        dataset: The name of a feature set.
        seed: Of the first stage's training.
        max_bad_share: The accepted share of unusable lines in any one file.

    Raises:
        DataError: The raw files can't be used, or the training failed.
    """
    features = feature_set(dataset)
    with atomic_folder(Path(out), PLAN) as folder:
        quarantine = Quarantine(max_bad_share)
        log = read_log(dataset, raw, quarantine)
        cuts = plan_cuts(list(chunks_of_log(log, features)), SHARES)
        train_first_stage(log, cuts.first_stage_end, folder / TOWERS, seed)
        quarantine.write(folder / QUARANTINE)
        titles = {item.id: item.title for item in log.items}
        write_json(folder / ITEMS, titles)
        write_json(folder / COUNTS, _file_counts(log, quarantine))
        plan = {"dataset": features.name, "seed": seed, **cuts._asdict()}
        write_json(folder / PLAN, {**plan, "fingerprint": log.fingerprint()})


def chunks_of_log(log: Log, features: FeatureSet):
    """The chunks of all users, one user after another."""
    for user in range(len(log.users)):
        ratings = log.ratings[log.ratings["user"] == user]
        yield from chunks(ratings, features.list_length, features.history_length)


def load_context(
    raw: Path | None, prepared: Path, dataset: str
) -> tuple[Log, Cuts, Context]:
    """Reads the log again with what `prepare` found out about it.

    Raises:
        DataError: `prepared` is of another data set or log, or incomplete.
    """
    plan = _read_plan(Path(prepared))
    # Bad lines were counted, judged and written down by `prepare`.
    log = read_log(dataset, raw, Quarantine(max_bad_share=1.0))
    found = {"dataset": feature_set(dataset).name, "fingerprint": log.fingerprint()}
    for key, value in found.items():
        if plan[key] != value:
            raise DataError(
                f"{prepared} was prepared for {key}={plan[key]!r}, but the raw log has "
                f"{value!r}; prepare it again"
            )
    cuts = Cuts(*(plan[name] for name in Cuts._fields))
    first_stage = FirstStage.load(Path(prepared, TOWERS))
    return log, cuts, Context.of(log, first_stage)


def _read_plan(prepared: Path) -> dict:
    try:
        return json.loads((prepared / PLAN).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{prepared} holds no {PLAN} ({error.strerror}); call prepare() first"
        ) from error


def _file_counts(log: Log, quarantine: Quarantine) -> dict[str, dict]:
    return {
        file: {"read": rows, "set_aside": dict(sorted(quarantine.counts(file).items()))}
        for file, rows in log.rows_read.items()
    }


def write_json(path: Path, content: dict) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
