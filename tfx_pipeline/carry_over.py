"""Weights of an older model in a newer one whose vocabularies have other ids.

A value's embedding is carried over by the value, through both vocabularies: ids may
move and vocabularies may grow, and what was learned of a value stays its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from psad_tf.features import Feature
from psad_tf.id_space import PADDING_ID, IdSpace, id_space, vocabulary_name

Vocabularies = Mapping[str, Sequence[bytes]]


class CannotCarryError(Exception):
    """The older model's weights do not fit; the message says why."""


@dataclass(frozen=True)
class Rows:
    """Where each row of a newer table comes from.

    Args:
        sources: The older table's row, int64 `[rows of the newer table]`.
        known: How many values of the vocabularies were known before.
        new: How many were not.
    """

    sources: np.ndarray
    known: int
    new: int


def read_vocabularies(files: Iterable[Path]) -> dict[str, list[bytes]]:
    """Name to values in the order of their ids."""
    return {file.name: file.read_bytes().splitlines() for file in files}


def row_sources(
    features: Sequence[Feature], new: Vocabularies, old: Vocabularies
) -> Rows:
    """Where the rows of a table of embeddings come from.

    Padding, unknown ids, hash buckets and buckets of numbers keep their meaning, so
    they keep their rows. A known value keeps its own. A new one begins as the unknown
    value's, which is what it was until now.

    Args:
        features: Of one space of ids, in order.
        new: The newer model's vocabularies.
        old: The older one's.

    Raises:
        CannotCarryError: The older model has no vocabulary of a feature.
    """
    embedded = [f for f in features if f.kind.is_id]
    texts = [vocabulary_name(f) for f in embedded if f.kind.is_text]
    lacking = [name for name in texts if name not in old]
    if lacking:
        raise CannotCarryError(f"its vocabularies lack {', '.join(lacking)}")
    here, there = (_space(embedded, v) for v in (new, old))
    sources = np.full(here.rows, PADDING_ID, np.int64)
    known = added = 0
    for feature, to, start in zip(
        embedded, here.unknown_ids, there.unknown_ids, strict=True
    ):
        fixed = 1 + feature.hash_buckets
        if not feature.kind.is_text:
            fixed += len(feature.boundaries) + 1
        sources[to : to + fixed] = np.arange(start, start + fixed)
        if feature.kind.is_text:
            name = vocabulary_name(feature)
            index = {value: i for i, value in enumerate(old[name])}
            found = np.array([index.get(value, -1) for value in new[name]], np.int64)
            first = to + fixed
            rows = np.where(found < 0, start, start + fixed + found)
            sources[first : first + len(found)] = rows
            known += int((found >= 0).sum())
            added += int((found < 0).sum())
    return Rows(sources, known, added)


def _space(features: Sequence[Feature], vocabularies: Vocabularies) -> IdSpace:
    return id_space(features, lambda name: len(vocabularies[name]))


def carried(
    new: Mapping[str, tuple[int, ...]],
    old: Mapping[str, np.ndarray],
    tables: Mapping[str, Rows],
) -> dict[str, np.ndarray]:
    """The values of a newer model's weights.

    Args:
        new: The newer model's shapes by path.
        old: The older model's values by path.
        tables: Path of a table to where its rows come from.

    Raises:
        CannotCarryError: A weight is missing, or has another shape.
    """
    values = {}
    for path, shape in new.items():
        if path not in old:
            raise CannotCarryError(f"it has no weight {path}")
        value = old[path]
        if path in tables:
            sources = tables[path].sources
            # A table of fewer rows than its vocabularies tell of is another one.
            if len(sources) and sources.max() >= len(value):
                raise CannotCarryError(f"{path} has {len(value)} rows, too few")
            value = value[sources]
        if value.shape != tuple(shape):
            raise CannotCarryError(
                f"{path} has the shape {value.shape}, and now {tuple(shape)}"
            )
        values[path] = value
    return values


def by_path(weights: Iterable, read: Callable) -> dict:
    """Weights by path below the model's own name."""
    return {w.path.partition("/")[2] or w.path: read(w) for w in weights}
