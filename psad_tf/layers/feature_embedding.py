"""Ids of categorical fields to one vector."""

from itertools import groupby

import keras
import numpy as np
from keras import ops

from psad_tf.config import PSADConfig
from psad_tf.layers.compositional_embedding import CompositionalEmbedding
from psad_tf.layers.embedding_table import EmbeddingTable


@keras.saving.register_keras_serializable(package="psad_tf")
class FeatureEmbedding(keras.layers.Layer):
    """Embeds each field of an entity and concatenates the fields.

    All fields share one space of ids: id 0 is padding and counts for nothing, then each
    field has its unknown id, its hash buckets and its known values, in this order. A
    field of several columns is the mean over its values.

    Args:
        rows: Ids in all, padding included.
        dim: Width of one field's embedding.
        widths: Columns of each field.
        unknown_ids: Each field's id for unknown values, its first.
        id_dropout: In training, how often all values of a field become unknown: its
            unknown id or any of its hash buckets, each as often.
        dropout_fields: The fields this happens to, by index.
        hash_buckets: Each field's ids for hashed values; empty for none.
        table: A row for each id (`full`), or `quotient_remainder` pairs of rows for
            the fields that have more than `remainder_rows` ids.
        remainder_rows: Of `quotient_remainder`.
    """

    def __init__(
        self,
        rows,
        dim,
        widths,
        unknown_ids,
        id_dropout=0.0,
        dropout_fields=(),
        hash_buckets=(),
        table="full",
        remainder_rows=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rows = rows
        self.dim = dim
        self.widths = tuple(widths)
        self.unknown_ids = tuple(unknown_ids)
        self.id_dropout = id_dropout
        self.dropout_fields = tuple(dropout_fields)
        self.hash_buckets = tuple(hash_buckets)
        self.table = table
        self.remainder_rows = remainder_rows
        self.seed_generator = keras.random.SeedGenerator()
        if table == "full":
            self.embeddings = EmbeddingTable(
                rows, dim, dtype=self.dtype_policy, name="table"
            )
        else:
            self.embeddings = CompositionalEmbedding(
                rows,
                dim,
                self.unknown_ids,
                remainder_rows,
                dtype=self.dtype_policy,
                name="table",
            )

    @classmethod
    def of(cls, config: PSADConfig, space: str, **kwargs) -> "FeatureEmbedding":
        """The embedding that a configuration asks for.

        Args:
            config: The configuration.
            space: The space of ids: `item` or `user`.
            kwargs: Of the layer.
        """

        def of_space(name):
            return getattr(config, f"{space}_{name}")

        return cls(
            of_space("rows"),
            config.embedding_dim,
            of_space("widths"),
            of_space("unknown_ids"),
            config.id_dropout,
            of_space("id_dropout_fields"),
            of_space("hash_buckets"),
            of_space("table"),
            of_space("table_remainder"),
            name=f"{space}_embedding",
            **kwargs,
        )

    def build(self, ids_shape):
        self.embeddings.build(ids_shape)

    def call(self, ids, training=False):
        """Embeds.

        Args:
            ids: int `[batch, ..., columns]`, the fields' columns side by side.
            training: Whether ids are dropped.

        Returns:
            float `[batch, ..., fields * dim]`.

        Raises:
            ValueError: The number of columns is not that of the fields.
        """
        if ids.shape[-1] != sum(self.widths):
            raise ValueError(
                f"ids have {ids.shape[-1]} columns and widths={self.widths} ask for "
                f"{sum(self.widths)}; give one column for each value of each field"
            )
        if training and self.id_dropout > 0:
            ids = self._drop_ids(ids)
        is_value = ops.cast(ids != 0, self.compute_dtype)
        embedded = self.embeddings(ids) * is_value[..., None]
        parts = self._parts()
        ends = np.cumsum([columns for columns, _ in parts])[:-1].tolist()
        if ends:
            embedded = ops.split(embedded, ends, axis=-2)
            is_value = ops.split(is_value, ends, axis=-1)
        else:
            embedded, is_value = [embedded], [is_value]
        fields = [
            _mean(values, mask) if is_field else _side_by_side(values)
            for (_, is_field), values, mask in zip(
                parts, embedded, is_value, strict=True
            )
        ]
        return ops.concatenate(fields, axis=-1) if ends else fields[0]

    def _parts(self) -> list[tuple[int, bool]]:
        """Columns next to each other, and whether they are the values of one field.

        Fields of one column stand together: their mean is their value.
        """
        parts = []
        for is_field, widths in groupby(self.widths, lambda width: width > 1):
            widths = list(widths)
            parts += [(w, True) for w in widths] if is_field else [(sum(widths), False)]
        return parts

    def _drop_ids(self, ids):
        field_of = np.repeat(np.arange(len(self.widths)), self.widths)
        may_drop = np.isin(field_of, self.dropout_fields)
        shape = (*ops.shape(ids)[:-1], len(self.widths))
        draw = keras.random.uniform(shape, seed=self.seed_generator)
        # Where it drops, the same draw, scaled to [0, 1), picks one of the ids.
        buckets = np.array(self.hash_buckets or [0] * len(self.widths), "float32")
        which = ops.minimum(draw / self.id_dropout * (buckets + 1), buckets)
        unknown = ops.cast(which, ids.dtype) + np.array(self.unknown_ids)
        # All columns of a field share one draw.
        is_dropped = ops.take(draw, field_of, axis=-1) < self.id_dropout
        unknown = ops.take(unknown, field_of, axis=-1)
        return ops.where(is_dropped & may_drop & (ids != 0), unknown, ids)

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "dim": self.dim,
            "widths": self.widths,
            "unknown_ids": self.unknown_ids,
            "id_dropout": self.id_dropout,
            "dropout_fields": self.dropout_fields,
            "hash_buckets": self.hash_buckets,
            "table": self.table,
            "remainder_rows": self.remainder_rows,
        }


def _mean(embedded, is_value):
    """Over the values of a field: float `[..., columns, dim]` to `[..., dim]`."""
    count = ops.sum(is_value, axis=-1, keepdims=True)
    return ops.sum(embedded, axis=-2) / ops.maximum(count, 1)


def _side_by_side(embedded):
    """float `[batch, ..., columns, dim]` to `[batch, ..., columns * dim]`."""
    columns, dim = embedded.shape[-2:]
    return ops.reshape(embedded, (-1, *embedded.shape[1:-2], columns * dim))
