"""Ids of categorical fields to one vector."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="psad_tf")
class FeatureEmbedding(keras.layers.Layer):
    """Embeds each field of an entity and concatenates the fields.

    All fields share one table. A field of several columns is the mean over its values;
    id 0 is padding and counts for nothing.

    Args:
        rows: Ids in the table, padding included.
        dim: Width of one field's embedding.
        widths: Columns of each field.
        unknown_ids: Each field's id for unknown values.
        id_dropout: In training, how often all values of a field become unknown.
        dropout_fields: The fields this happens to, by index.
    """

    def __init__(
        self,
        rows,
        dim,
        widths,
        unknown_ids,
        id_dropout=0.0,
        dropout_fields=(),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rows = rows
        self.dim = dim
        self.widths = tuple(widths)
        self.unknown_ids = tuple(unknown_ids)
        self.id_dropout = id_dropout
        self.dropout_fields = tuple(dropout_fields)
        self.seed_generator = keras.random.SeedGenerator()
        self.table = keras.layers.Embedding(
            rows,
            dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="table",
        )

    def build(self, ids_shape):
        self.table.build(ids_shape)

    def call(self, ids, training=False):
        """Embeds.

        Args:
            ids: int `[..., columns]`, the fields' columns side by side.
            training: Whether ids are dropped.

        Returns:
            float `[..., fields * dim]`.

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
        embedded = self.table(ids) * is_value[..., None]
        fields = []
        for first, width in zip(self._first_columns(), self.widths, strict=True):
            columns = slice(first, first + width)
            count = ops.sum(is_value[..., columns], axis=-1, keepdims=True)
            total = ops.sum(embedded[..., columns, :], axis=-2)
            fields.append(total / ops.maximum(count, 1))
        return ops.concatenate(fields, axis=-1)

    def _drop_ids(self, ids):
        field_of = np.repeat(np.arange(len(self.widths)), self.widths)
        may_drop = np.isin(field_of, self.dropout_fields)
        unknown = ops.cast(np.take(self.unknown_ids, field_of), ids.dtype)
        shape = (*ops.shape(ids)[:-1], len(self.widths))
        draw = keras.random.uniform(shape, seed=self.seed_generator)
        # All columns of a field share one draw.
        is_dropped = ops.take(draw, field_of, axis=-1) < self.id_dropout
        return ops.where(is_dropped & may_drop & (ids != 0), unknown, ids)

    def _first_columns(self):
        return np.cumsum((0, *self.widths[:-1])).tolist()

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "dim": self.dim,
            "widths": self.widths,
            "unknown_ids": self.unknown_ids,
            "id_dropout": self.id_dropout,
            "dropout_fields": self.dropout_fields,
        }
