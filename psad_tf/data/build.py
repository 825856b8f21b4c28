"""Builds a data set's folder: `psad data build` in one function."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
from apache_beam.io import WriteToText, WriteToTFRecord
from tqdm import tqdm

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.beam_lists import COUNTS, BuildLists, prepare
from psad_tf.data.prepare import raw_folder
from psad_tf.data.prepared import FATES, PLAN, read_json, write_json
from psad_tf.data.settings import LogSettings
from psad_tf.data.sources import source, writes_lists
from psad_tf.data.windows import SPLITS
from psad_tf.errors import ConfigError

SUMMARY = "summary.json"
BEAM_ARGUMENTS = ["--runner=FnApiRunner"]


def build_dataset(
    dataset: str,
    out: Path,
    raw: Path | str | None = None,
    seed: int = 0,
    max_bad_share: float = 0.01,
    size: str | None = None,
    workers: int = 1,
    settings: LogSettings | None = None,
) -> dict:
    """Builds the lists of a data set.

    Args:
        dataset: The name of a feature set.
        out: Folder to write, complete or not at all: `train/`, `validation/` and
            `test/` (gzipped TFRecords of `tf.train.Example`), `summary.json`,
            `items.json` (id → title, for display) and what else the data set's
            `Source` keeps.
        raw: Folder of the raw files (of logs, also a URL that Beam can read); None
            fetches them.
        seed: Of the first stage's training, or of a simulated world.
        max_bad_share: The accepted share of unusable lines in any one file.
        size: Which of the sizes that a simulated data set comes in.
        workers: How many processes build the lists.
        settings: Choices for raw logs, and Beam's options for all.

    Returns:
        The summary: the plan (data set, seed, cuts, the raw data's fingerprint),
        `lists` (by fate) and what else the `Source` tells.

    Raises:
        DataError: The raw files can't be used, or `out` holds something else.
        ConfigError: The data set or the size is unknown, `workers` is below 1, or a
            setting is wrong.
    """
    if workers < 1:
        raise ConfigError(f"workers={workers}; give 1 or more processes")
    settings = settings or LogSettings()
    beam_args = (*_parallel(workers), *settings.beam_args)
    settings = replace(settings, beam_args=beam_args)
    kept = source(dataset, settings).kept
    with (
        atomic_folder(Path(out), SUMMARY) as folder,
        tqdm(total=2, desc=f"building {dataset}", unit="stage") as bar,
    ):
        prepared = folder / "prepared"
        raw = raw_folder(dataset, raw, size)
        prepare(raw, prepared, dataset, seed, max_bad_share, settings)
        bar.update()
        if writes_lists(dataset):
            counts = _take_lists(prepared, folder)
        else:
            counts = _write_lists(raw, prepared, dataset, folder, beam_args)
        bar.update()
        summary = read_json(prepared / PLAN)
        summary |= source(dataset).summary(prepared, counts)
        for name in kept:
            (prepared / name).rename(folder / name)
        shutil.rmtree(prepared)
        write_json(folder / SUMMARY, summary)
    return summary


def _take_lists(prepared: Path, folder: Path) -> dict[str, int]:
    """Moves the lists that `prepare` wrote; returns their counts by name."""
    for split in SPLITS:
        (prepared / split).rename(folder / split)
    return read_json(prepared / FATES)


def _write_lists(
    raw: Path, prepared: Path, dataset: str, folder: Path, beam_args: tuple[str, ...]
) -> dict[str, int]:
    """Runs the Beam pipeline; returns its counts by name."""
    shards = source(dataset).shards(prepared)
    with beam.Pipeline(argv=[*BEAM_ARGUMENTS, *beam_args]) as pipeline:
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
