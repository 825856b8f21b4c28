"""What is real and what is padding: True means real, here and everywhere.

A mask is named for what True means (`is_valid`, `is_visible`, `remains`); the logits of
what is masked become `mask_logit`, which is finite in every float type.
"""

import keras
from keras import ops


def mask_logit(dtype: str) -> float:
    """A logit that a softmax turns into 0: finite in `dtype`, below any real logit."""
    # float16 ends at -65504, and a bias may still be added to what is masked.
    return -1e4 if dtype == "float16" else -1e9


def mask_logits(logits, is_visible):
    """Replaces the logits of what is not visible by the mask logit.

    Args:
        logits: float, any shape.
        is_visible: bool, broadcastable to `logits`.
    """
    dtype = keras.backend.standardize_dtype(logits.dtype)
    return ops.where(is_visible, logits, ops.cast(mask_logit(dtype), dtype))


def masked_mean(values, is_valid, axis=-1):
    """The mean over valid entries; 0 where there are none.

    Args:
        values: float, any shape; finite where not valid.
        is_valid: bool, broadcastable to `values`.
        axis: The axis, or axes, to average over.
    """
    weight = ops.cast(ops.broadcast_to(is_valid, ops.shape(values)), values.dtype)
    count = ops.sum(weight, axis=axis)
    return ops.sum(values * weight, axis=axis) / ops.maximum(count, 1)


def align_right(values, is_valid):
    """Moves the valid entries of each row to the row's end, in the same order.

    A history comes padded at its end; moved, its newest item is next to the first
    candidate, however short the history is. What stands in the padding is undefined.

    Args:
        values: A sequence of `[batch, length, ...]` tensors.
        is_valid: bool `[batch, length]`; valid entries first.

    Returns:
        The moved tensors as a list, and bool `[batch, length]`: valid entries last.
    """
    length = is_valid.shape[1]
    places = ops.arange(length, dtype="int32")[None]
    padding = length - ops.sum(ops.cast(is_valid, "int32"), axis=1, keepdims=True)
    source = ops.maximum(places - padding, 0)
    return [_at(v, source) for v in values], places >= padding


if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def _at(values, places):
        # One operation; those below are dozens.
        return tf.gather(values, places, batch_dims=1)

else:

    def _at(values, places):
        # As rows of all lists, so that each is moved as a whole.
        first = ops.arange(ops.shape(values)[0], dtype="int32")[:, None]
        rows = ops.reshape(values, (-1, *values.shape[2:]))
        return ops.take(rows, first * values.shape[1] + places, axis=0)
