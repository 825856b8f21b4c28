"""What each feature means to the model: its role, its kind, its vocabulary.

The raw contract (name, type, shape, presence) is in `schemas/*.pbtxt`; this module says
what the model makes of it. A new feature is one line there for each place it appears
in, and one line here. Nothing heavy is imported: clients use it too.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

REQUEST_ID = "request_id"
TIMESTAMP = "timestamp"
LABEL = "label"
INITIAL_SCORE = "initial_score"
ITEM_ID = "item_id"
VALUE_SEPARATOR = "|"


class Kind(StrEnum):
    """How a raw value becomes a model input."""

    CATEGORICAL = "categorical"  # a string, looked up in a vocabulary
    MULTIVALENT = "multivalent"  # strings joined by VALUE_SEPARATOR, each looked up
    BUCKETIZED = "bucketized"  # a number, replaced by its bucket's id
    NUMERIC = "numeric"  # a number, standardised to mean 0 and variance 1

    @property
    def is_text(self) -> bool:
        return self in (Kind.CATEGORICAL, Kind.MULTIVALENT)

    @property
    def is_id(self) -> bool:
        """Whether the model sees an embedding of it, and not the number itself."""
        return self is not Kind.NUMERIC


@dataclass(frozen=True)
class Feature:
    """One feature.

    Args:
        name: The name, without the prefix of the place it appears in.
        kind: How its raw value becomes a model input.
        boundaries: For `BUCKETIZED`, the increasing upper bounds (exclusive) of all
            buckets but the last.
        max_values: For `MULTIVALENT`, how many values are kept; more are cut.
        min_count: For text, how often a value must occur in the training lists to get
            an embedding of its own; rarer and unknown ones share one learned default.
        hash_buckets: For text, share that default among so many: a rarer or unknown
            value always falls into the same bucket. 0 keeps the one default.
    """

    name: str
    kind: Kind
    boundaries: tuple[float, ...] = ()
    max_values: int = 1
    min_count: int = 1
    hash_buckets: int = 0

    def __post_init__(self):
        if self.hash_buckets < 0 or (self.hash_buckets and not self.kind.is_text):
            raise ValueError(
                f"feature {self.name!r}: hash_buckets={self.hash_buckets} with kind="
                f"{self.kind}; give 0 or more to text features and 0 to all others"
            )
        if (self.kind is Kind.BUCKETIZED) != bool(self.boundaries):
            raise ValueError(
                f"feature {self.name!r}: boundaries={self.boundaries} with kind="
                f"{self.kind}; give boundaries to bucketized features and to no other"
            )


@dataclass(frozen=True)
class Slice:
    """A partition of lists by one raw feature.

    Args:
        name: The partition's name.
        feature: The raw feature's name.
        boundaries: Increasing whole numbers, the lower bounds of all groups but the
            first, which begins at 0.
        of_length: Groups by how many values the feature has, not by its value.
    """

    name: str
    feature: str
    boundaries: tuple[int, ...]
    of_length: bool = False

    def labels(self) -> tuple[str, ...]:
        """The names of the groups, such as `0`, `1-4`, `5-19`, `20+`."""
        starts = (0, *self.boundaries)
        pairs = zip(starts, self.boundaries, strict=False)
        inner = (str(a) if b == a + 1 else f"{a}-{b - 1}" for a, b in pairs)
        return (*inner, f"{starts[-1]}+")

    def label(self, values: Sequence[float]) -> str:
        """The group of a list with these values of the feature."""
        number = len(values) if self.of_length else values[0]
        return self.labels()[bisect_right(self.boundaries, number)]


@dataclass(frozen=True)
class FeatureSet:
    """The features of one data set, by role.

    Args:
        name: The data set's name; `schemas/<name>.pbtxt` holds the raw contract.
        user: One value a list; the user's profile. No `NUMERIC` ones: bucketise them.
        item: One value an item, for candidates (`candidate_<name>`) and for the
            history (`history_<name>`); the two share vocabularies and embeddings.
        candidate: Known of candidates only, raw name `candidate_<name>`.
        history: Known of past items only, raw name `history_<name>`.
        list_length: The most candidates a list has (M of the paper).
        history_length: The most past items a list has (N of the paper).
        slices: The groups of lists that are evaluated on their own.
        truth: Known of candidates in a simulated world only, raw name
            `candidate_<name>`: stored with the labels for analysis, never a model's
            input and in no request.
        category: The item feature that says what kind of thing an item is, by which
            the diversity of a list is measured.
    """

    name: str
    user: tuple[Feature, ...]
    item: tuple[Feature, ...]
    candidate: tuple[Feature, ...]
    history: tuple[Feature, ...]
    list_length: int
    history_length: int
    slices: tuple[Slice, ...] = ()
    truth: tuple[Feature, ...] = ()
    category: str = ""

    def __post_init__(self):
        if self.category and self.category not in [f.name for f in self.item]:
            raise ValueError(
                f"category={self.category!r} of {self.name} is no item feature; name "
                f"one of {[f.name for f in self.item]}"
            )
        for feature in self.user:
            if feature.kind is Kind.NUMERIC:
                raise ValueError(
                    f"user feature {feature.name!r} is numeric; a profile is embedded, "
                    "so give it kind=BUCKETIZED with boundaries"
                )

    def of_candidates(self) -> tuple[Feature, ...]:
        """All features of a candidate."""
        return self.item + self.candidate

    def of_history(self) -> tuple[Feature, ...]:
        """All features of a past item."""
        return self.item + self.history

    def raw(self) -> Iterator[tuple[str, Feature]]:
        """Every raw feature's name in a request, with its feature."""
        for feature in self.user:
            yield feature.name, feature
        for feature in self.of_candidates():
            yield candidate_name(feature), feature
        for feature in self.of_history():
            yield history_name(feature), feature

    def training_only(self) -> tuple[str, ...]:
        """The raw names that stored lists have and requests don't."""
        return REQUEST_ID, TIMESTAMP, LABEL, *map(candidate_name, self.truth)


def candidate_name(feature: Feature) -> str:
    """The raw name of a candidate's feature."""
    return f"candidate_{feature.name}"


def history_name(feature: Feature) -> str:
    """The raw name of a past item's feature."""
    return f"history_{feature.name}"
