"""Weights as the artifact stores them, and as the scorer reads them."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from psad_tf.layers.embedding_table import EmbeddingTable

INT8_MAX = 127
# Each graph holds constants of its own, so that more than this stays in variables.
MAX_CONSTANT_BYTES = 1 << 22


class StoredRows:
    """A stored table: what is looked up is brought to float32, never the whole table.

    Args:
        rows: The stored rows, a variable `[rows, dim]`.
        scale: float32 `[rows, 1]`, a variable that they are multiplied by, or None.
    """

    def __init__(self, rows, scale=None):
        self.rows, self.scale = rows, scale

    def sparse_read(self, ids, name=None):
        """What `tf.gather` calls on a variable: int `[...]` to float32 `[..., dim]`."""
        found = tf.cast(tf.gather(self.rows, ids), tf.float32)
        if self.scale is None:
            return found
        return found * tf.gather(self.scale, ids)


class ReadScope(keras.StatelessScope):
    """Within it weights are what some functions read, each only if it is wanted.

    Args:
        weights: Of a model.
        reads: Of each weight, a function without arguments.
    """

    def __init__(self, weights, reads):
        # Without initial values: what stands in for the weights has them all.
        super().__init__(initialize_variables=False)
        pairs = zip(weights, reads, strict=True)
        self._reads = {id(weight): read for weight, read in pairs}
        self._found = {}

    def get_current_value(self, variable):
        updated = super().get_current_value(variable)
        read = self._reads.get(id(variable))
        if updated is not None or read is None:
            return updated
        # What the body of a loop reads is of no use around it.
        key = id(variable), tf.compat.v1.get_default_graph()
        if key not in self._found:
            self._found[key] = read()
        return self._found[key]


class StoredWeights:
    """A model's weights in the precision of the artifact.

    In float32 they are the model's own. In a half precision every float weight is
    stored so. In int8 matrices and tables are, each column of a matrix and each row of
    a table with a float32 scale of its own; vectors are small and stay float32.

    Tables are stored as variables. All others, if they are small, are constants of a
    graph: each variable costs a request microseconds, and nothing of it is worked out
    ahead.

    Args:
        model: The model; its weights are read once.
        precision: One of `PRECISIONS`.
    """

    def __init__(self, model: keras.Model, precision: str):
        self.precision = precision
        self.own = list(model.weights)
        layers = model._flatten_layers()
        tables = [x.embeddings for x in layers if isinstance(x, EmbeddingTable)]
        self._tables = {id(table) for table in tables}
        others = [w for w in self.own if not self._is_table(w)]
        self._are_constants = sum(map(_bytes, others)) <= MAX_CONSTANT_BYTES
        self._stored = [self._store(weight) for weight in self.own]

    @property
    def arrays(self) -> list[np.ndarray]:
        """All that is stored, scales as well."""
        return [np.asarray(values) for stored in self._stored for values in stored]

    @property
    def is_own(self) -> bool:
        """Whether the model's own weights are what is stored."""
        return self.precision == "float32"

    def reads(self) -> list[Callable]:
        """Of each weight, in the model's order, a function that reads it.

        Each gives float32 in the current graph; of tables `StoredRows`, which must only
        be gathered from.
        """
        return [
            partial(self._read, weight, stored)
            for weight, stored in zip(self.own, self._stored, strict=True)
        ]

    def _store(self, weight) -> tuple:
        """Of one weight, its values and their scale if any: variables, or arrays."""
        if self.is_own and not self._is_constant(weight):
            return (weight.value,)
        values = self._in_precision(weight)
        if self._is_constant(weight):
            return values
        names = weight.path, f"{weight.path}_scale"
        return tuple(
            tf.Variable(value, trainable=False, name=name)
            for value, name in zip(values, names, strict=False)
        )

    def _in_precision(self, weight) -> tuple[np.ndarray, ...]:
        """A weight's values in the precision of the artifact, and their scale if any.

        They are read here once: what reads a variable in a graph that is being traced
        makes the artifact store it.
        """
        value = keras.ops.convert_to_numpy(weight)
        if self.is_own or not np.issubdtype(value.dtype, np.floating):
            return (value,)
        if self.precision != "int8":
            return (value.astype(tf.as_dtype(self.precision).as_numpy_dtype),)
        if value.ndim < 2:
            return (value,)
        axis = tuple(range(1, value.ndim)) if self._is_table(weight) else (0,)
        return quantised(value, axis)

    def _read(self, weight, stored):
        if self._is_table(weight):
            return StoredRows(*stored)
        values, *scale = stored
        values = tf.cast(values, weight.dtype)
        return values * scale[0] if scale else values

    def _is_constant(self, weight) -> bool:
        return self._are_constants and not self._is_table(weight)

    def _is_table(self, weight) -> bool:
        return id(weight) in self._tables


def quantised(value: np.ndarray, axis: tuple[int, ...]):
    """float32 values as int8, and the scale that brings them back.

    Args:
        value: float32 `[...]`.
        axis: The axes along which values share a scale.

    Returns:
        int8 of the same shape; float32 with these axes of size 1. Their product is off
        by half a scale at most.
    """
    scale = np.abs(value).max(axis=axis, keepdims=True) / INT8_MAX
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.rint(value / scale).astype(np.int8), scale


def _bytes(weight) -> int:
    return int(np.prod(weight.shape)) * tf.as_dtype(weight.dtype).size
