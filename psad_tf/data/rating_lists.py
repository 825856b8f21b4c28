"""Lists of a log of ratings, with Apache Beam.

The decisions live in `windows`, `statistics` and `lists`; here they are only wired.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np
from threadpoolctl import ThreadpoolController

from psad_tf.data.beam_lists import COUNTS
from psad_tf.data.examples import encode_list
from psad_tf.data.lists import Context, make_list
from psad_tf.data.log import RATING, Log
from psad_tf.data.rating_source import RatingSource
from psad_tf.data.windows import SPLITS, Cuts, chunks, fate
from psad_tf.features import FeatureSet

Loaded = tuple[Log, Cuts, Context]


class BuildRatingLists(beam.PTransform):
    """See `BuildLists`; the counts are `lists/<fate>` and `ratings/<fate>`, where the
    fate is a split or the reason why no list came of it.

    Args:
        source: The data set's.
        raw: Folder of the raw files.
        prepared: What `prepare` wrote for the same files.
    """

    def __init__(self, source: RatingSource, raw: Path, prepared: Path):
        super().__init__()
        self._source, self._folders = source, (raw, prepared)

    def expand(self, pipeline):
        loaded = (
            pipeline
            | "Source" >> beam.Create([self._folders])
            | "Load" >> beam.MapTuple(self._source.load)
        )
        outputs = (
            loaded
            | "RatingsByUser" >> beam.FlatMap(_ratings_by_user)
            | "GroupByUser" >> beam.GroupByKey()
            | "MakeLists"
            >> beam.ParDo(
                _MakeLists(self._source.features), beam.pvalue.AsSingleton(loaded)
            ).with_outputs(*SPLITS, COUNTS)
        )
        counts = outputs[COUNTS] | "Count" >> beam.CombinePerKey(sum)
        return {**{split: outputs[split] for split in SPLITS}, COUNTS: counts}


def _ratings_by_user(loaded: Loaded) -> Iterator[tuple[int, tuple]]:
    for row in loaded[0].ratings.tolist():
        yield row[0], row


class _MakeLists(beam.DoFn):
    """Makes the lists of one user."""

    def __init__(self, features: FeatureSet):
        self._features = features

    def setup(self):
        self._pools = ThreadpoolController()

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
                # The matrices are too small to share: threads would wait for others.
                with self._pools.limit(limits=1, user_api="blas"):
                    ranking_list = make_list(chunk, context)
                example = encode_list(ranking_list, self._features)
                yield beam.pvalue.TaggedOutput(name, example)
