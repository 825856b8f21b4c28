"""Slates item by item: draws, a beam's next step, and a slate as scores."""

import keras
from keras import ops

from psad_tf.baselines.reranker import scores_of_order
from psad_tf.decoding import full_order
from psad_tf.masking import mask_logit, mask_logits
from psad_tf.targets import gumbel

# The worth of what is no order: below that of any order, however unlikely.
NO_ORDER = mask_logit("float32")


def first_beams(is_valid, width):
    """The worth of beams before the first item: float32 `[batch, width]`.

    Only the first is one; the others are no order yet.
    """
    worth = ops.where(ops.arange(width) == 0, 0.0, NO_ORDER)
    return ops.zeros_like(is_valid[:, :1], dtype="float32") + worth


def extend(worth, log_p, remains):
    """The best ways to add one more item to the beams of each list.

    Args:
        worth: float32 `[batch, width]`, what the beams are worth.
        log_p: float32 `[batch, width, list]`, what each item would add.
        remains: bool `[batch, width, list]`, the items a beam may still take. A beam
            that may take none goes on as it is.

    Returns:
        The new beams' worth, float32 `[batch, width]`, highest first; the beam each
        comes from, int32 `[batch, width]`; and the item it took, int32
        `[batch, width]`, -1 for none.
    """
    width, length = log_p.shape[1:]
    may_end = ~ops.any(remains, axis=-1, keepdims=True)
    goes_on = remains | (may_end & (ops.arange(length) == 0))
    added = ops.where(may_end, 0.0, log_p)
    ways = ops.where(goes_on, worth[..., None] + added, 2 * NO_ORDER)
    worth, way = ops.top_k(ops.reshape(ways, (-1, width * length)), width)
    parent, item = (ops.cast(x, "int32") for x in (way // length, way % length))
    took = ops.take_along_axis(~may_end[..., 0], parent, axis=1)
    return ops.maximum(worth, NO_ORDER), parent, ops.where(took, item, -1)


def is_order(worth):
    """Which beams are orders: bool, as `worth`."""
    return worth > NO_ORDER / 2


def of_beams(values, index):
    """The beams at `index` `[batch, n]` out of `[batch, width, ...]`."""
    extra = (1,) * (len(values.shape) - 2)
    index = ops.reshape(index, (-1, index.shape[1], *extra))
    return ops.take_along_axis(values, index, axis=1)


def scores_of_slate(order, rest, is_valid):
    """Scores that sort as a slate does, then as `rest` does.

    Args:
        order: int32 `[batch, slate]`, -1 past the list's end.
        rest: float32 `[batch, list]`, what puts the others in order, highest first.
        is_valid: bool `[batch, list]`.

    Returns:
        float32 `[batch, list]`, the mask logit on padding.
    """
    whole = full_order(order, rest, is_valid)
    return mask_logits(scores_of_order(whole, is_valid.shape[1]), is_valid)


def gumbel_noise(shape, seed):
    """Gumbel noise of a shape, drawn from a `SeedGenerator`; see `targets.gumbel`."""
    return gumbel(keras.random.uniform(shape, dtype="float32", seed=seed))
