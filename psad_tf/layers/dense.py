"""Keras' Dense, in one matrix product of rows; and several of them in one."""

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="psad_tf")
class Dense(keras.layers.Dense):
    """`keras.layers.Dense` for tensors of known shape but for the batch.

    On TensorFlow Keras multiplies tensors of three and more axes by `tf.tensordot`,
    which works out their shapes in some twenty operations, each time. Served one list
    at a time, they cost as much as the product.
    """

    def call(self, inputs, training=None):
        """float `[batch, ..., dim]` to `[batch, ..., units]`."""
        if len(inputs.shape) < 3 or None in inputs.shape[1:]:
            return super().call(inputs, training=training)
        rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
        made = super().call(rows, training=training)
        return ops.reshape(made, (-1, *inputs.shape[1:-1], self.units))


def side_by_side(layers: Sequence[Dense], inputs, bias: bool = True):
    """What several layers make of the same input, by one matrix product.

    Args:
        layers: Built, of one dtype policy and without activations.
        inputs: float `[batch, ..., dim]`, of known shape but for the batch.
        bias: Whether what they add is added.

    Returns:
        float `[batch, ..., units of all]`, one layer's behind the other's.
    """
    dtype = layers[0].compute_dtype
    kernel = ops.concatenate([ops.cast(x.kernel, dtype) for x in layers], axis=1)
    rows = ops.reshape(ops.cast(inputs, dtype), (-1, inputs.shape[-1]))
    made = ops.matmul(rows, kernel)
    if bias and any(x.use_bias for x in layers):
        made = made + ops.concatenate([_bias(x, dtype) for x in layers], axis=0)
    return ops.reshape(made, (-1, *inputs.shape[1:-1], made.shape[-1]))


def _bias(layer, dtype):
    if layer.use_bias:
        return ops.cast(layer.bias, dtype)
    return ops.zeros((layer.units,), dtype)
