"""Lists to plain padded arrays, for the signature that takes tensors.

The values are those of the one encoder, which also checks them, so that both
signatures of a model are asked about the same thing. NumPy only: clients use this too.
"""

from collections.abc import Sequence

import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import Feature, FeatureSet, candidate_name, history_name


def pack_lists(
    lists: Sequence[RankingList], feature_set: FeatureSet
) -> dict[str, np.ndarray]:
    """Packs lists into the inputs of the signature `rank`.

    Columns are in the order of the feature set, first split by kind: text and number.
    Every list is padded to the longest of the batch, with empty text and zeros.

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
    user = {feature.name: feature for feature in feature_set.user}
    candidate = {candidate_name(f): f for f in feature_set.of_candidates()}
    history = {history_name(f): f for f in feature_set.of_history()}
    candidate_count = _counts(one.candidates for one in lists)
    history_count = _counts(one.history for one in lists)
    user_text, user_values = _pack(rows, user, 1)
    candidate_text, candidate_values = _pack(rows, candidate, _longest(candidate_count))
    history_text, history_values = _pack(rows, history, _longest(history_count))
    return {
        "user_text": user_text[:, 0],
        "user_values": user_values[:, 0],
        "candidate_text": candidate_text,
        "candidate_values": candidate_values,
        "candidate_count": candidate_count,
        "history_text": history_text,
        "history_values": history_values,
        "history_count": history_count,
    }


def _counts(parts) -> np.ndarray:
    return np.array([len(part) for part in parts], np.int32)


def _longest(counts: np.ndarray) -> int:
    return int(counts.max(initial=0))


def _pack(
    rows: Sequence, features: dict[str, Feature], length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Text [B, length, text columns] and numbers [B, length, number columns]."""
    text = [name for name, feature in features.items() if feature.kind.is_text]
    numbers = [name for name in features if name not in text]
    packed_text = np.full((len(rows), length, len(text)), b"", object)
    packed_numbers = np.zeros((len(rows), length, len(numbers)), np.float32)
    for i, row in enumerate(rows):
        for column, name in enumerate(text):
            values = row[name].bytes_list.value
            packed_text[i, : len(values), column] = values
        for column, name in enumerate(numbers):
            values = row[name].float_list.value
            packed_numbers[i, : len(values), column] = values
    return packed_text, packed_numbers
