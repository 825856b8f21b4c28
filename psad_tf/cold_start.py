"""Cold start: what a list says of which the training lists said nothing.

A text value is known if it has an embedding of its own, so if the model's vocabulary
holds it. All others share a learned default, or the hash buckets of their feature.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psad_tf.features import (
    VALUE_SEPARATOR,
    Feature,
    FeatureSet,
    Kind,
    Slice,
    candidate_name,
    history_name,
)
from psad_tf.id_space import vocabulary_name

USER_ID = "user_id"


@dataclass(frozen=True)
class Vocabulary:
    """The values of a text feature that have an embedding of their own.

    Args:
        values: UTF-8 bytes.
        is_multivalent: Whether a value is made of parts, each with an embedding.
    """

    values: frozenset[bytes]
    is_multivalent: bool = False

    def __contains__(self, value: str | bytes) -> bool:
        value = value.encode() if isinstance(value, str) else value
        parts = (
            value.split(VALUE_SEPARATOR.encode()) if self.is_multivalent else [value]
        )
        return self.values.issuperset(parts)


@dataclass(frozen=True)
class UnknownSlice:
    """A partition of lists by the share of a place's values that the model knows not.

    Args:
        name: The partition's name.
        features: The raw names of the text features that are looked at.
        boundaries: Increasing shares, the highest of each group of lists with unknown
            values but the last; empty for a single one.
    """

    name: str
    features: tuple[str, ...]
    boundaries: tuple[float, ...] = ()

    def labels(self) -> tuple[str, ...]:
        """The names of the groups, such as `known`, `up to 10% new`."""
        if not self.boundaries:
            return ("known", "unknown")
        up_to = (f"up to {b:.0%} new" for b in self.boundaries)
        return ("known", *up_to, f"over {self.boundaries[-1]:.0%} new")

    def label(
        self, values: Mapping[str, Sequence], known: Mapping[str, Vocabulary]
    ) -> str:
        """The group of a list.

        Args:
            values: Raw name to a list's values, text or bytes.
            known: Raw name to what the model knows.
        """
        is_known = [
            value in known[name] for name in self.features for value in values[name]
        ]
        unknown = is_known.count(False)
        if not unknown:
            return self.labels()[0]
        share = unknown / len(is_known)
        return self.labels()[1 + bisect_left(self.boundaries, share)]


def cold_start_slices(features: FeatureSet) -> tuple[Slice | UnknownSlice, ...]:
    """The partitions by what a model may not know: user, profile, history, items."""
    text = [f.name for f in features.user if f.kind.is_text]
    profile = tuple(name for name in text if name != USER_ID)
    first = features.item[0]
    slices = []
    if USER_ID in text:
        slices.append(UnknownSlice("user", (USER_ID,)))
    if profile:
        slices.append(UnknownSlice("profile", profile))
    slices.append(Slice("past_items", history_name(first), (1,), of_length=True))
    if first.kind.is_text:
        slices.append(UnknownSlice("items", (candidate_name(first),), (0.1,)))
    return tuple(slices)


def group_of(
    partition: Slice | UnknownSlice,
    values: Mapping[str, Sequence],
    known: Mapping[str, Vocabulary],
) -> str:
    """The group of a list in either kind of partition; see `UnknownSlice.label`."""
    if isinstance(partition, Slice):
        return partition.label(values[partition.feature])
    return partition.label(values, known)


def known_values(model: Path, features: FeatureSet) -> dict[str, Vocabulary]:
    """The values of each raw text feature that a model knows, by raw name.

    Args:
        model: The SavedModel's folder; its vocabularies are among its assets.
        features: The data set's features.

    Raises:
        FileNotFoundError: The model has no such vocabulary.
    """
    places = [(f.name, f) for f in features.user]
    places += [(candidate_name(f), f) for f in features.item]
    return {name: _vocabulary(model, f) for name, f in places if f.kind.is_text}


def _vocabulary(model: Path, feature: Feature) -> Vocabulary:
    file = model / "assets" / vocabulary_name(feature)
    try:
        values = frozenset(file.read_bytes().splitlines())
        return Vocabulary(values, feature.kind is Kind.MULTIVALENT)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file} is missing: the model was exported without its transform; export "
            "it with psad_tf.export"
        ) from None
