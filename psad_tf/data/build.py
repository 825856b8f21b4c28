"""Builds a data set's folder: `psad data build` in one function."""

import json
import shutil
from pathlib import Path

import apache_beam as beam
from apache_beam.io import WriteToText, WriteToTFRecord
from tqdm import tqdm

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.beam_lists import COUNTS, BuildLists, prepare
from psad_tf.data.prepare import COUNTS as FILE_COUNTS
from psad_tf.data.prepare import ITEMS, PLAN, QUARANTINE, TOWERS, write_json
from psad_tf.data.windows import SPLITS

SUMMARY = "summary.json"
BEAM_ARGUMENTS = ["--runner=FnApiRunner"]


def build_dataset(
    dataset: str,
    out: Path,
    raw: Path | None = None,
    seed: int = 0,
    max_bad_share: float = 0.01,
) -> dict:
    """Builds the lists of a data set.

    Args:
        dataset: The name of a feature set.
        out: Folder to write, complete or not at all: `train/`, `validation/` and
            `test/` (gzipped TFRecords of `tf.train.Example`), `summary.json`,
            `quarantine.tsv`, `items.json` (id → title, for display) and `towers.npz`
            (the first stage, to score new candidates; see `FirstStage`).
        raw: Folder of the raw files; None fetches them.
        seed: Of the first stage's training.
        max_bad_share: The accepted share of unusable lines in any one file.

    Returns:
        The summary: the plan (data set, seed, cuts, the log's fingerprint), `files`
        (lines read and set aside, by reason), `lists` and `ratings` (by fate).

    Raises:
        DataError: The raw files can't be used, or `out` holds something else.
    """
    with (
        atomic_folder(Path(out), SUMMARY) as folder,
        tqdm(total=2, desc=f"building {dataset}", unit="stage") as bar,
    ):
        prepared = folder / "prepared"
        prepare(raw, prepared, dataset, seed, max_bad_share)
        bar.update()
        counts = _write_lists(raw, prepared, dataset, folder)
        bar.update()
        summary = _summary(prepared, counts)
        for name in (QUARANTINE, ITEMS, TOWERS):
            (prepared / name).rename(folder / name)
        shutil.rmtree(prepared)
        write_json(folder / SUMMARY, summary)
    return summary


def _summary(prepared: Path, counts: dict[str, int]) -> dict:
    summary = _read_json(prepared / PLAN)
    summary["files"] = _read_json(prepared / FILE_COUNTS)
    for kind in ("lists", "ratings"):
        summary[kind] = {
            name.split("/")[1]: number
            for name, number in sorted(counts.items())
            if name.startswith(f"{kind}/")
        }
    return summary


def _write_lists(
    raw: Path | None, prepared: Path, dataset: str, folder: Path
) -> dict[str, int]:
    """Runs the Beam pipeline; returns its counts by name."""
    with beam.Pipeline(argv=BEAM_ARGUMENTS) as pipeline:
        outputs = pipeline | BuildLists(raw, prepared, dataset)
        for split in SPLITS:
            (folder / split).mkdir()
            outputs[split] | f"Write{split}" >> WriteToTFRecord(
                str(folder / split / "lists"),
                file_name_suffix=".tfrecord.gz",
                num_shards=1,
            )
        (
            outputs[COUNTS]
            | "Json" >> beam.Map(json.dumps)
            | "WriteCounts" >> WriteToText(str(prepared / "fates"), num_shards=1)
        )
    (file,) = prepared.glob("fates-*")
    return dict(map(json.loads, file.read_text().splitlines()))


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
