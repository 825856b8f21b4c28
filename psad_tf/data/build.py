"""Builds a data set's folder: `psad data build` in one function."""

import hashlib
import json
import shutil
from pathlib import Path

import apache_beam as beam
from apache_beam.io import WriteToText, WriteToTFRecord
from tqdm import tqdm

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.beam_lists import COUNTS, BuildLists, prepare
from psad_tf.data.prepare import raw_folder
from psad_tf.data.prepared import PLAN, read_json, write_json
from psad_tf.data.sources import source
from psad_tf.data.windows import SPLITS
from psad_tf.errors import ConfigError

SUMMARY = "summary.json"
BEAM_ARGUMENTS = ["--runner=FnApiRunner"]


def build_dataset(
    dataset: str,
    out: Path,
    raw: Path | None = None,
    seed: int = 0,
    max_bad_share: float = 0.01,
    size: str | None = None,
    workers: int = 1,
) -> dict:
    """Builds the lists of a data set.

    Args:
        dataset: The name of a feature set.
        out: Folder to write, complete or not at all: `train/`, `validation/` and
            `test/` (gzipped TFRecords of `tf.train.Example`), `summary.json`,
            `items.json` (id → title, for display) and what else the data set's
            `Source` keeps.
        raw: Folder of the raw files; None fetches them.
        seed: Of the first stage's training, or of a simulated world.
        max_bad_share: The accepted share of unusable lines in any one file.
        size: Which of the sizes that a simulated data set comes in.
        workers: How many processes build the lists.

    Returns:
        The summary: the plan (data set, seed, cuts, the raw data's fingerprint),
        `lists` (by fate) and what else the `Source` tells.

    Raises:
        DataError: The raw files can't be used, or `out` holds something else.
        ConfigError: The data set or the size is unknown, or `workers` is below 1.
    """
    if workers < 1:
        raise ConfigError(f"workers={workers}; give 1 or more processes")
    kept = source(dataset).kept
    with (
        atomic_folder(Path(out), SUMMARY) as folder,
        tqdm(total=2, desc=f"building {dataset}", unit="stage") as bar,
    ):
        prepared = folder / "prepared"
        raw = raw_folder(dataset, raw, size)
        prepare(raw, prepared, dataset, seed, max_bad_share)
        bar.update()
        counts = _write_lists(raw, prepared, dataset, folder, workers)
        bar.update()
        summary = read_json(prepared / PLAN)
        summary |= source(dataset).summary(prepared, counts)
        for name in kept:
            (prepared / name).rename(folder / name)
        shutil.rmtree(prepared)
        write_json(folder / SUMMARY, summary)
    return summary


def _write_lists(
    raw: Path, prepared: Path, dataset: str, folder: Path, workers: int
) -> dict[str, int]:
    """Runs the Beam pipeline; returns its counts by name."""
    shards = source(dataset).shards(prepared)
    with beam.Pipeline(argv=[*BEAM_ARGUMENTS, *_parallel(workers)]) as pipeline:
        outputs = pipeline | BuildLists(raw, prepared, dataset)
        for split in SPLITS:
            (folder / split).mkdir()
            lists = outputs[split]
            if shards == 1:
                lists = lists | f"Order{split}" >> _InOneOrder()
            lists | f"Write{split}" >> WriteToTFRecord(
                str(folder / split / "lists"),
                file_name_suffix=".tfrecord.gz",
                num_shards=shards,
            )
        (
            outputs[COUNTS]
            | "Json" >> beam.Map(json.dumps)
            | "WriteCounts" >> WriteToText(str(prepared / "fates"), num_shards=1)
        )
    (file,) = prepared.glob("fates-*")
    return dict(map(json.loads, file.read_text().splitlines()))


class _InOneOrder(beam.PTransform):
    """An order that looks random and is the same whoever worked on what."""

    def expand(self, lists):
        return (
            lists
            | beam.GroupBy(lambda _: None)
            | beam.FlatMapTuple(lambda _, all: sorted(all, key=_digest))
        )


def _digest(example: bytes) -> bytes:
    return hashlib.blake2b(example, digest_size=16).digest()


def _parallel(workers: int) -> list[str]:
    if workers == 1:
        return []
    mode = "--direct_running_mode=multi_processing"
    return [f"--direct_num_workers={workers}", mode]
