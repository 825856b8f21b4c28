"""What the served scorer takes: tensors by name, or one tensor that holds them all."""

import tensorflow as tf

from psad_tf import tensors
from psad_tf.config import PSADConfig
from psad_tf.list_matrix import (
    CANDIDATE_COUNT,
    HISTORY_COUNT,
    MATRIX,
    NUMBERS,
    ListMatrix,
)

# A count says as much as what is valid.
_IS_VALID = {
    CANDIDATE_COUNT: tensors.CANDIDATE_IS_VALID,
    HISTORY_COUNT: tensors.HISTORY_IS_VALID,
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
    """Input tensors to the rows of a `ListMatrix` and back, in a graph.

    Each tensor copied to a device costs a start, and is copied slowly unless it was
    made for it, as this matrix is. Unpacking costs a compiled graph nothing.

    Args:
        layout: The matrix's.
    """

    def __init__(self, layout: ListMatrix):
        self._layout = layout

    @property
    def spec(self) -> tf.TensorSpec:
        """The matrix: int32 `[batch, columns]`."""
        return tf.TensorSpec((None, self._layout.width), tf.int32, MATRIX)

    def pack(self, inputs: dict[str, tf.Tensor], missing=None) -> tf.Tensor:
        """The matrix of input tensors; ids must be below 2^31.

        Args:
            inputs: By name; in place of what is valid there may be its counts.
            missing: How many rows of zeros to add, or None.
        """
        columns = []
        for name, size in self._layout.sizes.items():
            if name in inputs:
                values = inputs[name]
            else:
                is_valid = tf.cast(inputs[_IS_VALID[name]], tf.int32)
                values = tf.reduce_sum(is_valid, axis=1)
            if name in NUMBERS:
                values = tf.bitcast(values, tf.int32)
            columns.append(tf.reshape(tf.cast(values, tf.int32), (-1, size)))
        if missing is not None:
            # Copies nothing where nothing is missing. What puts them together is last,
            # so that the matrix is made where the device reads it by itself.
            columns = [tf.pad(x, missing * [[0, 1], [0, 0]]) for x in columns]
        return tf.concat(columns, axis=1)

    def filled_up(self, matrix: tf.Tensor, missing) -> tf.Tensor:
        """A matrix with so many rows of zeros more.

        Where none is missing it is made anew all the same: where the device reads it,
        and of so many columns.

        Raises:
            InvalidArgumentError: When it runs: there are more or fewer columns. The
                name of the operation, which the error has, says how many there are.
        """
        width = self._layout.width
        zeros = tf.zeros((missing, width), tf.int32)
        return tf.concat([matrix, zeros], 0, f"{MATRIX}_must_have_{width}_columns")

    def unpack(self, matrix: tf.Tensor) -> dict[str, tf.Tensor]:
        """The input tensors of a matrix, and the counts; ids are int32."""
        inputs, sizes = {}, [*self._layout.sizes.values()]
        columns = tf.split(matrix, sizes, axis=1)
        for (name, shape), values in zip(
            self._layout.shapes.items(), columns, strict=True
        ):
            values = tf.reshape(values, (-1, *shape))
            inputs[name] = tf.bitcast(values, tf.float32) if name in NUMBERS else values
            if name in _IS_VALID:
                places = tf.range(self._layout.lengths[name])
                inputs[_IS_VALID[name]] = places < values[:, tf.newaxis]
        return inputs
