"""Embeddings of many ids from two small tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import ops

from psad_tf.layers.embedding_table import EmbeddingTable


@dataclass(frozen=True)
class ComposedRun:
    """A run of ids whose embeddings are composed of two rows each.

    Args:
        start: The first id.
        end: The id after the last.
        table_row: The run's first row in the table.
        quotient_row: The run's first row in the table of quotients.
    """

    start: int
    end: int
    table_row: int
    quotient_row: int


@dataclass(frozen=True)
class Composition:
    """Which ids are composed, and the rows that this takes.

    Args:
        runs: The composed ids; all others keep a row of their own.
        table_rows: Rows of own ids and of remainders.
        quotient_rows: Rows of quotients.
    """

    runs: tuple[ComposedRun, ...]
    table_rows: int
    quotient_rows: int


def composition(rows: int, starts: Sequence[int], remainder_rows: int) -> Composition:
    """Composes the ids of each field that has more than `remainder_rows` of them.

    Args:
        rows: Ids in all, padding included.
        starts: The first id of each field; a field ends where the next begins.
        remainder_rows: Rows of remainders a composed field gets.

    Raises:
        ValueError: `remainder_rows` is not positive.
    """
    if remainder_rows < 1:
        raise ValueError(f"remainder_rows={remainder_rows}; it must be at least 1")
    runs, saved, quotient_rows = [], 0, 0
    for start, end in zip(starts, (*starts[1:], rows), strict=True):
        count = end - start
        if count > remainder_rows:
            runs.append(ComposedRun(start, end, start - saved, quotient_rows))
            saved += count - remainder_rows
            quotient_rows += -(-count // remainder_rows)
    return Composition(tuple(runs), rows - saved, quotient_rows)


@keras.saving.register_keras_serializable(package="psad_tf")
class CompositionalEmbedding(keras.layers.Layer):
    """Quotient-remainder embeddings (Shi et al., KDD 2020, section 3.1).

    The i-th id of a field of more than m ids has the embedding

        remainders[i mod m] * quotients[i div m]

    so that no two ids share both rows. Ids of smaller fields keep rows of their own.
    Quotients start around 1: at first, ids that share a remainder are nearly alike, of
    the size that they would have in a full table.

    Args:
        rows: Ids in all, padding included.
        dim: Width of an embedding.
        starts: The first id of each field; a field ends where the next begins.
        remainder_rows: m.
    """

    def __init__(self, rows, dim, starts, remainder_rows, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows
        self.dim = dim
        self.starts = tuple(starts)
        self.remainder_rows = remainder_rows
        self.composition = composition(rows, self.starts, remainder_rows)
        policy, rows = self.dtype_policy, self.composition
        self.remainders = EmbeddingTable(
            rows.table_rows, dim, dtype=policy, name="remainders"
        )
        self.quotients = None
        if rows.runs:
            self.quotients = EmbeddingTable(
                rows.quotient_rows, dim, mean=1.0, dtype=policy, name="quotients"
            )

    def build(self, ids_shape):
        self.remainders.build(ids_shape)
        if self.quotients is not None:
            self.quotients.build(ids_shape)

    def call(self, ids):
        """Embeds: int `[...]` to float `[..., dim]`."""
        row, quotient = ids, ops.zeros_like(ids)
        is_composed = ops.zeros_like(ids, dtype="bool")
        for run in self.composition.runs:
            i = ids - run.start
            is_in_run = (ids >= run.start) & (ids < run.end)
            saved = run.end - run.start - self.remainder_rows
            row = ops.where(ids >= run.end, row - saved, row)
            row = ops.where(is_in_run, run.table_row + i % self.remainder_rows, row)
            quotient = ops.where(
                is_in_run, run.quotient_row + i // self.remainder_rows, quotient
            )
            is_composed = is_composed | is_in_run
        embedded = self.remainders(row)
        if self.quotients is None:
            return embedded
        factor = self.quotients(quotient)
        return embedded * ops.where(is_composed[..., None], factor, 1)

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "dim": self.dim,
            "starts": self.starts,
            "remainder_rows": self.remainder_rows,
        }
