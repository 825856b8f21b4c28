"""Which lists belong together: by raw features, by history, by what a model knows."""

from collections.abc import Mapping, Sequence

import numpy as np

from psad_tf.cold_start import UnknownSlice, Vocabulary, group_of
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet, Slice, candidate_name, history_name

# Finer than the slices of a data set: how much history does a list need?
HISTORY_BINS = Slice("history_bins", "", (1, 5, 10, 20, 35, 50), of_length=True)


def slice_groups(
    lists: Sequence[RankingList], features: FeatureSet, partition: Slice
) -> dict[str, np.ndarray]:
    """Each group's label with a bool `[lists]`, true for its members.

    Raises:
        ValueError: The partition's feature is none of the data set's.
    """
    values = [_raw_values(x, features, partition.feature) for x in lists]
    return _groups(partition, values)


def history_groups(lists: Sequence[RankingList]) -> dict[str, np.ndarray]:
    """The same for `HISTORY_BINS`."""
    return _groups(HISTORY_BINS, [x.history for x in lists])


def cold_start_groups(
    lists: Sequence[RankingList],
    features: FeatureSet,
    partition: Slice | UnknownSlice,
    known: Mapping[str, Vocabulary],
) -> dict[str, np.ndarray]:
    """The same for a partition of `psad_tf.cold_start`."""
    is_raw = isinstance(partition, Slice)
    names = [partition.feature] if is_raw else partition.features
    found = np.array(
        [
            group_of(partition, {n: _raw_values(x, features, n) for n in names}, known)
            for x in lists
        ]
    )
    return {label: found == label for label in partition.labels()}


def _groups(partition: Slice, values: Sequence) -> dict[str, np.ndarray]:
    found = np.array([partition.label(v) for v in values])
    return {label: found == label for label in partition.labels()}


def _raw_values(ranking_list: RankingList, features: FeatureSet, name: str) -> list:
    """A list's values of a raw feature, whichever place it belongs to."""
    for members, name_of, items in (
        (features.user, lambda f: f.name, [ranking_list.user]),
        (features.of_candidates(), candidate_name, ranking_list.candidates),
        (features.of_history(), history_name, ranking_list.history),
    ):
        for feature in members:
            if name_of(feature) == name:
                return [item[feature.name] for item in items]
    raise ValueError(f"slice by {name!r}: {features.name} has no such raw feature")
