"""The lists that the model server is asked before a push: real ones and worst cases."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf.data.examples import decode_list
from psad_tf.data.ranking_list import RankingList, Value
from psad_tf.features import FeatureSet


def sample_lists(folder: str, features: FeatureSet, n: int) -> list[RankingList]:
    """`n` lists evenly spaced over a split, the longest and the shortest cut of one.

    The last two are the worst cases: as many candidates and past items as the model
    takes, and one candidate without any history.
    """
    files = sorted(str(p) for p in Path(folder).iterdir())
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    chosen = np.linspace(0, len(records) - 1, min(n, len(records)), dtype=int)
    lists = [decode_list(records[i], features) for i in chosen]
    fullest = max(lists, key=lambda x: (len(x.candidates), len(x.history)))
    past = list(fullest.history) or [_as_past(fullest.candidates[0], features)]
    return [
        *lists,
        RankingList(
            fullest.user,
            _repeat(fullest.candidates, features.list_length),
            _repeat(past, features.history_length),
        ),
        RankingList(fullest.user, fullest.candidates[:1]),
    ]


def _as_past(candidate: Mapping[str, Value], features: FeatureSet) -> dict[str, Value]:
    """A candidate as a past item; what is known of past items alone is empty."""
    empty = {f.name: "" if f.kind.is_text else 0.0 for f in features.of_history()}
    return {name: candidate.get(name, value) for name, value in empty.items()}


def _repeat(items, n: int) -> list:
    return [items[i % len(items)] for i in range(n)]
