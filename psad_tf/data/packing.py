"""Lists to plain padded arrays, for the signature that takes tensors.

The values are those of the one encoder, which also checks them, so that both
signatures of a model are asked about the same thing. NumPy only: clients use this too.
"""

from collections.abc import Sequence

import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet, candidate_name, history_name


def packed_columns(feature_set: FeatureSet) -> dict[str, tuple[str, ...]]:
    """Which raw features stand in the columns of the signature `rank`.

    Clients pack by this order and the served graph unpacks by it: features as the set
    has them, split by kind.

    Returns:
        Input name (`user_text`, `user_values`, and so on) → raw name of each column.
    """
    places = {
        "user": {f.name: f for f in feature_set.user},
        "candidate": {candidate_name(f): f for f in feature_set.of_candidates()},
        "history": {history_name(f): f for f in feature_set.of_history()},
    }
    return {
        f"{place}_{suffix}": tuple(n for n, f in raw.items() if f.kind.is_text is text)
        for place, raw in places.items()
        for suffix, text in (("text", True), ("values", False))
    }


def pack_lists(
    lists: Sequence[RankingList], feature_set: FeatureSet
) -> dict[str, np.ndarray]:
    """Packs lists into the inputs of the signature `rank`.

    Columns are those of `packed_columns`. Every list is padded to the longest of the
    batch, with empty text and zeros.

    Args:
        lists: B lists of up to m candidates and up to n past items.
        feature_set: The features each list must have, no more and no fewer.

    Returns:
        `user_text` [B, columns], `candidate_text` [B, m, columns] and `history_text`
        [B, n, columns], objects that are UTF-8 bytes; `user_values`, `candidate_values`
        and `history_values`, float32 of those shapes with the number columns;
        `candidate_count` and `history_count`, int32 [B].

    Raises:
        DataError: A list is not what the feature set asks for.
    """
    rows = [
        Example.FromString(encode_list(one, feature_set)).features.feature
        for one in lists
    ]
    counts = {
        "candidate_count": _counts(one.candidates for one in lists),
        "history_count": _counts(one.history for one in lists),
    }
    packed = {}
    for name, columns in packed_columns(feature_set).items():
        place, suffix = name.split("_")
        if place == "user":
            packed[name] = _pack(rows, columns, 1, suffix)[:, 0]
        else:
            length = int(counts[f"{place}_count"].max(initial=0))
            packed[name] = _pack(rows, columns, length, suffix)
    return packed | counts


def _counts(parts) -> np.ndarray:
    return np.array([len(part) for part in parts], np.int32)


def _pack(
    rows: Sequence, columns: Sequence[str], length: int, suffix: str
) -> np.ndarray:
    """One kind of raw features, [B, length, columns]."""
    shape = len(rows), length, len(columns)
    if suffix == "text":
        kind, packed = "bytes_list", np.full(shape, b"", object)
    else:
        kind, packed = "float_list", np.zeros(shape, np.float32)
    for i, row in enumerate(rows):
        for column, name in enumerate(columns):
            values = getattr(row[name], kind).value
            packed[i, : len(values), column] = values
    return packed
