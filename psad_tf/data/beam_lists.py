"""Builds lists with Apache Beam: one code path for the CLI and for the TFX pipeline.

Run it with `--runner=FnApiRunner` on one machine: Beam's default runner looks for a
binary on the internet first.
"""

from pathlib import Path

import apache_beam as beam

from psad_tf.data.prepare import prepare, raw_folder
from psad_tf.data.sources import source

__all__ = ["COUNTS", "BuildLists", "prepare"]

COUNTS = "counts"


class BuildLists(beam.PTransform):
    """From raw data to serialized examples, by split.

    Applied to a pipeline, it gives a dict of PCollections: under "train", "validation"
    and "test" serialized `tf.train.Example`s, one a list, and under `COUNTS` pairs of
    name and number: `lists/<fate>`, where the fate is a split or the reason why no
    list was stored, and what else the data set's `Source` counts.

    Args:
        raw: Folder of the raw files; None means the cache.
        prepared: What `prepare` wrote for the same files.
        dataset: The name of a feature set.
    """

    def __init__(self, raw: str | Path | None, prepared: str | Path, dataset: str):
        super().__init__()
        self._raw, self._prepared, self._dataset = raw, prepared, dataset

    def expand(self, pipeline):
        raw = raw_folder(self._dataset, self._raw)
        lists = source(self._dataset).lists(raw, Path(self._prepared))
        return pipeline | "Lists" >> lists
