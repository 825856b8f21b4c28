"""ExampleGen: raw logs to one tf.Example a list, on Beam."""

import json
import os
import shutil
from pathlib import Path

import apache_beam as beam
from tfx.components.example_gen import write_split
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from psad_tf.data.beam_lists import BuildLists
from psad_tf.data.errors import DataError
from psad_tf.data.prepared import FATES
from psad_tf.data.sources import writes_lists
from tfx_pipeline.artifacts import PreparedLog

SPLITS = ("train", "validation", "test")
_COUNTS = "counts.json"


@component(use_beam=True)
def ListExampleGen(
    log: InputArtifact[PreparedLog],
    examples: OutputArtifact[Examples],
    raw: Parameter[str],
    dataset: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
):
    """Writes the lists of each split as gzipped TFRecords of tf.Examples.

    Raises:
        DataError: A split has no list.
    """
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    if writes_lists(dataset):
        _take_lists(Path(log.uri), examples)
    else:
        _write_lists(beam_pipeline, Path(raw), Path(log.uri), dataset, examples)
    _check_splits(Path(examples.uri, _COUNTS))


def _take_lists(log: Path, examples: Examples) -> None:
    """Gives the lists of the prepared log a second name; they are stored once."""
    for split in SPLITS:
        folder = Path(artifact_utils.get_split_uri([examples], split))
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted((log / split).iterdir()):
            name = file.name.replace("lists", "data_tfrecord").replace(".tfrecord", "")
            _link(file, folder / name)
    shutil.copy(log / FATES, Path(examples.uri, _COUNTS))


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # not on this file system
        shutil.copy(file, target)


def _write_lists(
    beam_pipeline: beam.Pipeline, raw: Path, log: Path, dataset: str, examples: Examples
) -> None:
    """Builds the lists and counts them."""
    with beam_pipeline as pipeline:
        lists = pipeline | BuildLists(raw, log, dataset)
        for split in SPLITS:
            folder = artifact_utils.get_split_uri([examples], split)
            lists[split] | f"Write[{split}]" >> write_split.WriteSplit(
                folder, example_gen_pb2.FILE_FORMAT_UNSPECIFIED, {}
            )
        (
            lists["counts"]
            | beam.combiners.ToDict()
            | beam.Map(json.dumps, sort_keys=True)
            | beam.io.WriteToText(
                f"{examples.uri}/counts", ".json", num_shards=1, shard_name_template=""
            )
        )


def _check_splits(file: Path) -> None:
    """Here, where the reason is at hand, and not in a later component's trace."""
    counts = json.loads(file.read_text())
    empty = [split for split in SPLITS if not counts.get(f"lists/{split}")]
    if empty:
        lists = {k: n for k, n in sorted(counts.items()) if k.startswith("lists/")}
        raise DataError(
            f"the log gives no list for {' and '.join(empty)} ({json.dumps(lists)}); "
            "give a longer log"
        )
