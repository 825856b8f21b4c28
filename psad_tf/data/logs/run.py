"""One run over raw logs: plans it, has Beam do it, brings its results together."""

import hashlib
import json
import shutil
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from psad_tf.data.errors import DataError
from psad_tf.data.logs.accounts import files_read, lists_by_fate, rows_by_fate
from psad_tf.data.logs.pipeline import FAILED, FAILURE, BuildFromLogs
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.progress import showing
from psad_tf.data.logs.quarantine import write_quarantine
from psad_tf.data.logs.shuffle import open_to_read, write_whole
from psad_tf.data.logs.tasks import list_path
from psad_tf.data.prepared import COUNTS, FATES, ITEMS, write_json
from psad_tf.data.windows import SPLITS

if TYPE_CHECKING:
    from psad_tf.data.logs.source import LogSource

QUARANTINE, PROFILE = "quarantine.tsv", "profile.json"

_TOTALS = "totals.json"
_BEAM = ("--runner=FnApiRunner",)


def run(
    source: "LogSource", raw: str, folder: Path, seed: int, max_bad_share: float
) -> dict:
    """See `LogSource.prepare`; files between stages are removed, come what may."""
    name, protocol = source.protocol()
    settings = source.settings
    salt = source.salt()
    work = FileSystems.join(settings.work or str(folder), f"work-{uuid.uuid4().hex}")
    FileSystems.mkdirs(work)
    try:
        plan = Plan.make(
            source.reader,
            protocol,
            raw,
            work,
            seed=seed,
            salt=salt,
            max_bad_share=max_bad_share,
            max_user_rows=settings.max_user_rows,
        )
        pipeline = source.pipeline or beam.Pipeline(argv=[*_BEAM, *settings.beam_args])
        counts = _run(plan, pipeline)
        _check_splits(counts)
        _collect(plan, folder)
        write_quarantine(plan, counts, folder / QUARANTINE)
    finally:
        FileSystems.delete([work])
    write_json(folder / ITEMS, {})  # logs hold no titles
    write_json(folder / COUNTS, files_read(counts))
    rows_by_fate(counts)  # they add up
    write_json(folder / FATES, _fates(counts))
    write_json(folder / PROFILE, _profile(counts))
    return {"protocol": name, **_cuts(counts), "fingerprint": _fingerprint(plan)}


def _run(plan: Plan, pipeline: beam.Pipeline) -> Counter:
    """Runs the stages; gives what they counted.

    Raises:
        DataError: The raw files can't be used.
    """
    path = FileSystems.join(plan.folder, _TOTALS)
    with showing(plan), pipeline:
        pipeline | BuildFromLogs(plan) | "Totals" >> beam.Map(_leave_totals, path)
    with open_to_read(path) as file:
        counts = Counter(json.loads(file.read()))
    if FAILED in counts:
        with open_to_read(FileSystems.join(plan.folder, FAILURE)) as file:
            raise DataError(file.read().decode())
    return counts


def _leave_totals(counts, path: str) -> None:
    write_whole(path, lambda file: file.write(json.dumps(counts).encode()))


def _check_splits(counts: Mapping[str, int]) -> None:
    lists = lists_by_fate(counts)
    if not any(lists.get(split) for split in SPLITS):
        raise DataError(
            f"the log gives no list to store (lists by fate: {json.dumps(lists)}); "
            "give a longer log"
        )


def _collect(plan: Plan, folder: Path) -> None:
    """Brings the lists out of the folder of work."""
    for split in SPLITS:
        (folder / split).mkdir()
        for number in range(plan.buckets):
            name = f"lists-{number:05d}-of-{plan.buckets:05d}.tfrecord.gz"
            _bring(list_path(plan, split, number), folder / split / name)


def _bring(path: str, target: Path) -> None:
    if Path(path).exists():
        shutil.move(path, target)
        return
    with open_to_read(path) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)


def _fates(counts: Mapping[str, int]) -> dict[str, int]:
    kinds = ("lists/", "rows/")
    return {name: n for name, n in sorted(counts.items()) if name.startswith(kinds)}


def _profile(counts: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds of each kind of task, over all processes."""
    prefix = "microseconds/"
    return {
        name.removeprefix(prefix): count / 1e6
        for name, count in counts.items()
        if name.startswith(prefix)
    }


def _cuts(counts: Mapping[str, int]) -> dict[str, int]:
    """The times at which periods end, by the names of `Cuts`; none if drawn."""
    prefix = "cut/"
    return {
        name.removeprefix(prefix): time
        for name, time in counts.items()
        if name.startswith(prefix)
    }


def _fingerprint(plan: Plan) -> str:
    """Of the raw files' names and sizes: their bytes are too many to read twice."""
    files = sorted({(one.file.name, one.file.size) for one in plan.ranges})
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()
