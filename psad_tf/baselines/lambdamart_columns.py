"""What the columns of the input tensors are, for a model that needs to be told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.baselines.lambdamart_blocks import field_columns
from psad_tf.config import PSADConfig
from psad_tf.features import Feature, FeatureSet

# A field with more ids is left to its click rates: a tree would learn it by heart.
MOST_CATEGORIES = 256
MOST_INDICATORS = 32


@dataclass(frozen=True)
class Fields:
    """The embedded fields of one id space.

    Args:
        place: `item` or `user`.
        names: Of the fields.
        widths: Columns of each.
        owned: The ids of each, its unknown one first.
    """

    place: str
    names: Sequence[str]
    widths: Sequence[int]
    owned: Sequence[range]

    @classmethod
    def of(cls, place: str, features: Sequence[Feature], config: PSADConfig):
        """The fields of a place (`item` or `user`)."""
        starts, rows = (
            getattr(config, f"{place}_{x}") for x in ("unknown_ids", "rows")
        )
        ends = (*starts[1:], rows)
        owned = [range(a, b) for a, b in zip(starts, ends, strict=True)]
        return cls(
            place, _names(features, True), getattr(config, f"{place}_widths"), owned
        )

    def categorical(self) -> list[str]:
        """The names of the columns of `as_numbers` that hold ids."""
        return [
            self._id_name(f)
            for f, _, owned, width in self._each()
            if width == 1 and len(owned) <= MOST_CATEGORIES
        ]

    def as_numbers(self, ids) -> Iterator[tuple[str, np.ndarray]]:
        """What of the ids a tree can use: each small field's, counted from its first
        one; each value of a small field of many values as yes or no.

        Args:
            ids: int `[lists, list, columns]`.

        Yields:
            Names with `[lists, list]` values.
        """
        for name, columns, owned, width in self._each():
            values = ids[..., columns]
            if width == 1 and len(owned) <= MOST_CATEGORIES:
                yield self._id_name(name), np.maximum(values[..., 0] - owned.start, 0)
            elif width > 1 and len(owned) <= MOST_INDICATORS:
                for value in owned:
                    title = f"{self.place}_{name}_is_{value - owned.start}"
                    yield title, (values == value).any(-1)

    def _each(self):
        columns = field_columns(self.widths)
        return zip(self.names, columns, self.owned, self.widths, strict=True)

    def _id_name(self, name: str) -> str:
        return f"{self.place}_{name}_id"


@dataclass(frozen=True)
class Columns:
    """All columns.

    Args:
        items, users: The embedded fields.
        numbers: Names of a candidate's dense features.
        shared: How many of them, the first ones, a past item has too.
        reactions: Names of the dense features of past items alone.
    """

    items: Fields
    users: Fields
    numbers: Sequence[str]
    shared: int
    reactions: Sequence[str]

    @classmethod
    def of(cls, features: FeatureSet, config: PSADConfig) -> "Columns":
        """The columns of a data set's tensors.

        Raises:
            ValueError: The configuration is of another data set.
        """
        numbers = _names(features.of_candidates(), False)
        past = _names(features.of_history(), False)
        for setting, found in (
            ("item_widths", _names(features.item, True)),
            ("user_widths", _names(features.user, True)),
            ("candidate_dense_size", numbers),
            ("history_dense_size", past),
        ):
            value = getattr(config, setting)
            if len(found) != (value if isinstance(value, int) else len(value)):
                raise ValueError(
                    f"{setting}={value}, but {features.name} has {len(found)} such "
                    f"features ({', '.join(found)}); give the configuration that was "
                    "made with this data set"
                )
        shared = len(_names(features.item, False))
        return cls(
            Fields.of("item", features.item, config),
            Fields.of("user", features.user, config),
            numbers,
            shared,
            past[shared:],
        )


def _names(features: Sequence[Feature], is_id: bool) -> list[str]:
    return [f.name for f in features if f.kind.is_id == is_id]
