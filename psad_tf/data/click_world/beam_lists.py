"""Lists of a click world, with Apache Beam, in parallel over users.

A user's log depends on nobody else, but the items' statistics on everybody, so users
are gone through twice: once to count, once to make lists. Their logs are drawn again
the second time, which costs less than to keep those of millions.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np

from psad_tf.data.beam_lists import COUNTS
from psad_tf.data.click_world.lists import ListMaker
from psad_tf.data.click_world.logs import UserLog, make_log
from psad_tf.data.click_world.statistics import ItemStatistics, daily_counts
from psad_tf.data.click_world.summary import count_lists
from psad_tf.data.click_world.users import User, make_user
from psad_tf.data.click_world.world import World
from psad_tf.data.examples import encode_list
from psad_tf.data.windows import SPLITS
from psad_tf.features import FeatureSet

if TYPE_CHECKING:
    from psad_tf.data.click_world.source import ClickWorldSource

Block = tuple[int, int]  # the first user's number, and one past the last one's
_USERS_A_BLOCK = 100


class BuildWorldLists(beam.PTransform):
    """See `BuildLists`; the counts are those of `count_lists`.

    Args:
        source: The data set's.
        raw: Folder of the world's description.
        prepared: What `prepare` wrote for it.
    """

    def __init__(self, source: "ClickWorldSource", raw: Path, prepared: Path):
        super().__init__()
        self._source, self._folders = source, (raw, prepared)

    def expand(self, pipeline):
        worlds = (
            pipeline
            | "Source" >> beam.Create([self._folders])
            | "Load" >> beam.MapTuple(self._source.load)
        )
        world = beam.pvalue.AsSingleton(worlds)
        blocks = worlds | beam.FlatMap(_blocks) | beam.Reshuffle()
        counts = (
            blocks
            | "CountDays" >> beam.Map(_count_days, world)
            | "AddUp" >> beam.CombineGlobally(_total).without_defaults()
        )
        outputs = blocks | "MakeLists" >> beam.ParDo(
            _MakeLists(self._source.features), world, beam.pvalue.AsSingleton(counts)
        ).with_outputs(*SPLITS, COUNTS)
        named = outputs[COUNTS] | "Count" >> beam.CombinePerKey(sum)
        return {**{split: outputs[split] for split in SPLITS}, COUNTS: named}


def _blocks(world: World) -> Iterator[Block]:
    users = world.config.users
    for begin in range(0, users, _USERS_A_BLOCK):
        yield begin, min(begin + _USERS_A_BLOCK, users)


def _users(block: Block, world: World) -> Iterator[tuple[int, User, UserLog]]:
    for number in range(*block):
        user = make_user(world, number)
        yield number, user, make_log(world, user, number)


def _count_days(block: Block, world: World) -> np.ndarray:
    return daily_counts([log for *_, log in _users(block, world)], world.config)


def _total(counts: Iterable[np.ndarray]) -> np.ndarray:
    return sum(counts)


class _MakeLists(beam.DoFn):
    """Makes the lists of a block of users."""

    def __init__(self, features: FeatureSet):
        self._features = features
        self._maker = None

    def process(self, block: Block, world: World, counts: np.ndarray):
        if self._maker is None:  # once a worker: every bundle has the same world
            self._maker = ListMaker(world, ItemStatistics(counts))
        users = list(_users(block, world))
        for number, user, log in users:
            for split, made in self._maker.stored(number, user, log):
                example = encode_list(made, self._features)
                yield beam.pvalue.TaggedOutput(split, example)
        for pair in count_lists([log for *_, log in users], world).items():
            yield beam.pvalue.TaggedOutput(COUNTS, pair)
