"""What the served scorer takes: tensors by name, or one tensor that holds them all."""

import math

import tensorflow as tf

from psad_tf import tensors
from psad_tf.config import PSADConfig

PACKED = "packed"
CANDIDATE_COUNT, HISTORY_COUNT = "candidate_count", "history_count"
# A count says as much as what is valid.
_COUNTS = {
    tensors.CANDIDATE_IS_VALID: CANDIDATE_COUNT,
    tensors.HISTORY_IS_VALID: HISTORY_COUNT,
}


def input_specs(config: PSADConfig, list_width: int, history_width: int, lists=None):
    """The input tensors of a model by name.

    Args:
        config: The model's.
        list_width: Candidates of a list.
        history_width: Past items of a list.
        lists: How many lists, or None for any number.
    """
    items, users = sum(config.item_widths), sum(config.user_widths)
    m, n = list_width, history_width
    shapes = {
        tensors.USER_IDS: ((users,), tf.int64),
        tensors.CANDIDATE_IDS: ((m, items), tf.int64),
        tensors.CANDIDATE_DENSE: ((m, config.candidate_dense_size), tf.float32),
        tensors.CANDIDATE_IS_VALID: ((m,), tf.bool),
        tensors.HISTORY_IDS: ((n, items), tf.int64),
        tensors.HISTORY_DENSE: ((n, config.history_dense_size), tf.float32),
        tensors.HISTORY_IS_VALID: ((n,), tf.bool),
    }
    return {k: tf.TensorSpec((lists, *s), d, k) for k, (s, d) in shapes.items()}


class Packing:
    """Lists as rows of one int32 matrix, which goes to a device in one copy.

    Each tensor copied there costs a start, and is copied slowly unless it was made for
    it, as this matrix is. Unpacking costs a compiled graph nothing.

    Args:
        specs: From `input_specs`.
    """

    def __init__(self, specs: dict[str, tf.TensorSpec]):
        self._specs = specs
        self._sizes = [
            1 if name in _COUNTS else math.prod(spec.shape[1:])
            for name, spec in specs.items()
        ]

    @property
    def spec(self) -> tf.TensorSpec:
        """The matrix: int32 `[batch, values of a list]`."""
        return tf.TensorSpec((None, sum(self._sizes)), tf.int32, PACKED)

    def pack(self, inputs: dict[str, tf.Tensor], missing=None) -> tf.Tensor:
        """The matrix of input tensors; ids must be below 2^31.

        Args:
            inputs: By name; in place of what is valid there may be its counts.
            missing: How many rows of zeros to add, or None.
        """
        columns = []
        for (name, spec), size in zip(self._specs.items(), self._sizes, strict=True):
            if name not in _COUNTS:
                values = inputs[name]
            elif (count := _COUNTS[name]) in inputs:
                values = inputs[count]
            else:
                values = tf.reduce_sum(tf.cast(inputs[name], tf.int32), axis=1)
            if spec.dtype.is_floating:
                values = tf.bitcast(values, tf.int32)
            columns.append(tf.reshape(tf.cast(values, tf.int32), (-1, size)))
        if missing is not None:
            # Copies nothing where nothing is missing. What puts them together is last,
            # so that the matrix is made where the device reads it by itself.
            columns = [tf.pad(x, missing * [[0, 1], [0, 0]]) for x in columns]
        return tf.concat(columns, axis=1)

    def unpack(self, matrix: tf.Tensor) -> dict[str, tf.Tensor]:
        """The input tensors of a matrix, ids in int32."""
        columns = tf.split(matrix, self._sizes, axis=1)
        inputs = {}
        for (name, spec), values in zip(self._specs.items(), columns, strict=True):
            if name in _COUNTS:
                inputs[name] = tf.range(spec.shape[1]) < values
                continue
            values = tf.reshape(values, (-1, *spec.shape[1:]))
            is_float = spec.dtype.is_floating
            inputs[name] = tf.bitcast(values, spec.dtype) if is_float else values
        return inputs
