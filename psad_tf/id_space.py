"""One id space over all embedded features of a place: who owns which ids.

Id 0 is padding. Then each feature owns a run of ids: first its "unknown" id (a learned
default for values without an embedding of their own), then its hash buckets, if it has
any, then its vocabulary or buckets. The Transform graph and the model's builder both
take the layout from here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from psad_tf.features import Feature, Kind

PADDING_ID = 0


@dataclass(frozen=True)
class IdSpace:
    """The layout of one id space.

    Args:
        rows: How many ids there are, padding included; a Python or tensor integer.
        widths: For each embedded feature, how many columns of ids it takes.
        unknown_ids: For each embedded feature, the id of its unknown value.
        hash_buckets: For each embedded feature, how many ids for hashed values follow.
    """

    rows: Any
    widths: tuple[int, ...]
    unknown_ids: tuple[Any, ...]
    hash_buckets: tuple[int, ...]


def vocabulary_name(feature: Feature) -> str:
    """The name of a text feature's vocabulary in the transform's output."""
    return f"vocabulary_{feature.name}"


def id_space(
    features: Iterable[Feature], vocabulary_size: Callable[[str], Any]
) -> IdSpace:
    """Lays the embedded features' ids one after the other.

    Args:
        features: The features of one place, in order; numeric ones take no ids.
        vocabulary_size: A vocabulary's name to its size: an integer, or, while the
            vocabularies are still being computed, a deferred integer tensor.
    """
    embedded = [f for f in features if f.kind.is_id]
    start, unknown_ids = PADDING_ID + 1, []
    for feature in embedded:
        unknown_ids.append(start)
        if feature.kind is Kind.BUCKETIZED:
            size = len(feature.boundaries) + 1
        else:
            size = vocabulary_size(vocabulary_name(feature))
        start = start + 1 + feature.hash_buckets + size
    return IdSpace(
        start,
        tuple(f.max_values for f in embedded),
        tuple(unknown_ids),
        tuple(f.hash_buckets for f in embedded),
    )
