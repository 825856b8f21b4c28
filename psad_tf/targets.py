"""What the generator is taught, and what each of its slots may see and choose.

An order is int `[batch, slate]`: the candidate in each slot, -1 past the list's end.
Slots are counted from 0 here and from 1 in the paper's j.
"""

import numpy as np
from keras import ops

from psad_tf.masking import mask_logit


def clicked_first(label, is_valid, slate_length, draw=None):
    """An order to be generated: clicked candidates first, then the others.

    Args:
        label: float `[batch, list]`, above 0 for a click.
        is_valid: bool `[batch, list]`.
        slate_length: Slots; T of the paper.
        draw: float32 `[batch, list]` in [0, 1), which puts each group in order, the
            lowest first; None keeps the order shown.

    Returns:
        int32 `[batch, slate]`, -1 past the list's end.
    """
    length = label.shape[1]
    is_clicked = (label > 0) & is_valid
    group = 2 - ops.cast(is_valid, "float32") - ops.cast(is_clicked, "float32")
    if draw is None:
        # Distinct keys, so that the order does not depend on the sort being stable.
        draw = ops.arange(length, dtype="float32") / length
    return _first(group + draw, is_valid, slate_length)


def sampled_order(scores, is_valid, slate_length, draw=None):
    """An order drawn from scores: each slot by their softmax over what remains.

    Perturbs the scores by Gumbel noise (the Plackett-Luce model).

    Args:
        scores: float32 `[batch, list]`.
        is_valid: bool `[batch, list]`.
        slate_length: Slots; T of the paper.
        draw: float32 `[batch, list]`, uniform in [0, 1); None draws nothing: the
            highest score comes first.

    Returns:
        int32 `[batch, slate]`, -1 past the list's end.
    """
    if draw is not None:
        scores = scores + gumbel(draw)
    key = ops.where(is_valid, -scores, -mask_logit("float32"))
    return _first(key, is_valid, slate_length)


def gumbel(draw):
    """Noise that, added to logits, makes the highest one a draw of their softmax.

    Args:
        draw: float32, any shape, uniform in [0, 1).
    """
    return -ops.log(-ops.log(ops.clip(draw, 1e-6, 1 - 1e-6)))


def exposed(is_valid, slate_length):
    """The first candidates as they were shown.

    Args:
        is_valid: bool `[batch, list]`.
        slate_length: Slots; T of the paper.

    Returns:
        int32 `[batch, slate]`, -1 past the list's end.
    """
    slots = ops.arange(slate_length, dtype="int32")[None]
    return ops.where(slot_is_valid(is_valid, slate_length), slots, -1)


def _first(key, is_valid, slate_length):
    """The candidates with the lowest keys: int32 `[batch, slate]`, -1 past the end."""
    order = ops.cast(ops.argsort(key, axis=1)[:, :slate_length], "int32")
    return ops.where(slot_is_valid(is_valid, slate_length), order, -1)


def slot_is_valid(is_valid, slate_length):
    """Which slots have an item: bool `[batch, slate]` from bool `[batch, list]`."""
    count = ops.sum(ops.cast(is_valid, "int32"), axis=1, keepdims=True)
    return ops.arange(slate_length, dtype="int32")[None] < count


def chosen(order, list_length):
    """Which candidates are in an order: bool `[batch, list]`."""
    return ops.any(ops.one_hot(order, list_length, dtype="bool"), axis=1)


def same_block(slate_length, block_size):
    """NumPy bool `[slate, slate]`: whether slots s and t are generated at once."""
    block = np.arange(slate_length) // block_size
    return block[:, None] == block


def earlier_block(slate_length, block_size):
    """NumPy bool `[slate, slate]`: whether slot t's block precedes that of slot s."""
    block = np.arange(slate_length) // block_size
    return block[:, None] > block


def remaining(order, is_valid, block_size):
    """The candidates each slot may choose: those not in an earlier block.

    Args:
        order: int `[batch, slate]`.
        is_valid: bool `[batch, list]`.
        block_size: Slots generated at once; K of the paper.

    Returns:
        bool `[batch, slate, list]`; nothing remains past the list's end.
    """
    placed = ops.one_hot(order, is_valid.shape[1], dtype="float32")
    earlier = earlier_block(order.shape[1], block_size).astype("float32")
    is_gone = ops.matmul(earlier, placed) > 0
    return is_valid[:, None] & ~is_gone & (order >= 0)[:, :, None]


def least_sure(confidence, is_valid, count):
    """The slots with the lowest confidence, in slot order.

    Args:
        confidence: float `[batch, slate]`.
        is_valid: bool `[batch, slate]`, which slots have an item.
        count: Slots wanted; γ of the paper.

    Returns:
        int32 `[batch, count]`, and bool `[batch, slate]`, true at these slots. Slots
        without an item come only where a list has fewer than `count`.
    """
    sureness = ops.where(is_valid, confidence, float("inf"))
    _, slots = ops.top_k(-sureness, count, sorted=True)
    slots = ops.sort(ops.cast(slots, "int32"), axis=-1)
    return slots, chosen(slots, confidence.shape[1])
