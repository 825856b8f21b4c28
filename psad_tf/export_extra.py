"""Signatures beside the two usual ones, for those who ask for them.

`rank_tensors` takes what the transform would make, for callers who keep features as
ids, and `rank_matrix` the same as one matrix. `user_side` makes of a user and their
history what `rank_with_user_side` needs of them, once for many lists of candidates.
"""

from functools import cached_property

import numpy as np
import tensorflow as tf

from psad_tf.data.packing import packed_columns
from psad_tf.export_core import ServedScorer
from psad_tf.export_tensors import RANK_MATRIX, RANK_TENSORS, tensor_specs
from psad_tf.export_user_side import USER_SIDE, WITH_USER_SIDE, PackedUserSide
from psad_tf.features import FeatureSet
from psad_tf.list_matrix import MATRIX


def packed_specs(features: FeatureSet, places: tuple[str, ...]) -> list[tf.TensorSpec]:
    """Those inputs of the signature `rank` that are of some places."""
    specs = []
    for name, columns in packed_columns(features).items():
        place, suffix = name.split("_")
        if place in places:
            batch = [None] if place == "user" else [None, None]
            dtype = tf.string if suffix == "text" else tf.float32
            specs.append(tf.TensorSpec([*batch, len(columns)], dtype, name))
    counted = [p for p in ("candidate", "history") if p in places]
    return [*specs, *(tf.TensorSpec([None], tf.int32, f"{p}_count") for p in counted)]


def with_absent(given: dict, features: FeatureSet, batch: tf.Tensor) -> dict:
    """Inputs of `rank` in which the places that were not sent are empty.

    Args:
        given: Those that were sent.
        features: The data set's features.
        batch: int32, lists.
    """
    filled = dict(given)
    for name, columns in packed_columns(features).items():
        place, suffix = name.split("_")
        if name in filled:
            continue
        shape = [batch, len(columns)] if place == "user" else [batch, 0, len(columns)]
        filled[name] = tf.fill(shape, "" if suffix == "text" else 0.0)
        if place != "user":
            filled[f"{place}_count"] = tf.zeros([batch], tf.int32)
    return filled


class WarmupArrays:
    """What the extra signatures are sent before a server calls itself ready.

    Args:
        served: The scorer.
    """

    def __init__(self, served: ServedScorer):
        self._served = served

    @cached_property
    def _side(self) -> PackedUserSide:
        # Its mark reads all weights.
        return PackedUserSide(self._served)

    def __call__(self, name: str, packed: dict, width: tuple[int, int]) -> dict:
        """The arrays of a signature.

        Args:
            name: The signature.
            packed: Those of `rank`.
            width: Candidates and past items of each list.
        """
        lists = len(packed["candidate_count"])
        if name == RANK_TENSORS:
            return self._tensors(lists, *width)
        if name == RANK_MATRIX:
            full = self._served.layout(self._served.widths[-1])
            return {MATRIX: full.fill(self._tensors(lists, *width))}
        places = ("user_", "history_") if name == USER_SIDE else ("candidate_",)
        arrays = {k: v for k, v in packed.items() if k.startswith(places)}
        if name == WITH_USER_SIDE:
            vectors = np.zeros((lists, self._side.size), np.float32)
            vectors[:, 0] = self._side.mark
            arrays[USER_SIDE] = vectors
        return arrays

    def _tensors(self, lists: int, candidates: int, history: int) -> dict:
        sizes = {"candidate": candidates, "history": history}
        arrays = {}
        for spec in tensor_specs(self._served.scorer.config):
            size = sizes.get(spec.name.split("_")[0])
            shape = [size if x is None else x for x in spec.shape[1:]]
            fill = size if spec.name.endswith("_count") else 1
            dtype = spec.dtype.as_numpy_dtype
            arrays[spec.name] = np.full((lists, *shape), fill, dtype)
        return arrays
