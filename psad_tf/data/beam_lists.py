"""Builds lists with Apache Beam: one code path for the CLI and for the TFX pipeline.

The decisions live in `windows`, `statistics` and `lists`; here they are only wired. Run
it with `--runner=FnApiRunner` on one machine: Beam's default runner looks for a
binary on the internet first.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.lists import Context, make_list
from psad_tf.data.log import RATING, Log
from psad_tf.data.prepare import load_context, prepare
from psad_tf.data.windows import SPLITS, Cuts, chunks, fate
from psad_tf.feature_sets import feature_set

__all__ = ["COUNTS", "BuildLists", "prepare"]

COUNTS = "counts"

Loaded = tuple[Log, Cuts, Context]


class BuildLists(beam.PTransform):
    """From a raw log to serialized examples, by split.

    Applied to a pipeline, it gives a dict of PCollections: under "train", "validation"
    and "test" serialized `tf.train.Example`s, one a list, and under `COUNTS` pairs of
    name and number: `lists/<fate>` and `ratings/<fate>`, where the fate is a split
    or the reason why no list came of it. Every accepted rating has exactly one fate.

    Args:
        raw: Folder of the raw files; None means the cache.
        prepared: What `prepare` wrote for the same files.
        dataset: The name of a feature set.
    """

    def __init__(self, raw: str | Path | None, prepared: str | Path, dataset: str):
        super().__init__()
        self._raw = str(raw) if raw is not None else None
        self._prepared = str(prepared)
        self._dataset = dataset

    def expand(self, pipeline):
        source = (self._raw, self._prepared, self._dataset)
        loaded = (
            pipeline
            | "Source" >> beam.Create([source])
            | "Load" >> beam.MapTuple(load_context)
        )
        outputs = (
            loaded
            | "RatingsByUser" >> beam.FlatMap(_ratings_by_user)
            | "GroupByUser" >> beam.GroupByKey()
            | "MakeLists"
            >> beam.ParDo(
                _MakeLists(self._dataset), beam.pvalue.AsSingleton(loaded)
            ).with_outputs(*SPLITS, COUNTS)
        )
        counts = outputs[COUNTS] | "Count" >> beam.CombinePerKey(sum)
        return {**{split: outputs[split] for split in SPLITS}, COUNTS: counts}


def _ratings_by_user(loaded: Loaded) -> Iterator[tuple[int, tuple]]:
    for row in loaded[0].ratings.tolist():
        yield row[0], row


class _MakeLists(beam.DoFn):
    """Makes the lists of one user."""

    def __init__(self, dataset: str):
        self._features = feature_set(dataset)

    def process(self, user_rows: tuple[int, Iterable[tuple]], loaded: Loaded):
        _, rows = user_rows
        _, cuts, context = loaded
        ratings = np.array(list(rows), RATING)
        sizes = self._features.list_length, self._features.history_length
        for chunk in chunks(ratings, *sizes):
            name = fate(chunk, cuts)
            yield beam.pvalue.TaggedOutput(COUNTS, (f"lists/{name}", 1))
            size = len(chunk.candidates)
            yield beam.pvalue.TaggedOutput(COUNTS, (f"ratings/{name}", size))
            if name in SPLITS:
                example = encode_list(make_list(chunk, context), self._features)
                yield beam.pvalue.TaggedOutput(name, example)
