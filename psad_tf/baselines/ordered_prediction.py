"""Losses of heads that each predict an item further ahead: GReF's, as functions."""

import itertools

import numpy as np
from keras import ops

from psad_tf.masking import mask_logits, masked_mean
from psad_tf.targets import remaining

# Orders worth the same may differ by the last digits of their sums.
_DIFFERENCE = 1e-4


def log_p_of_order(logits, order, is_valid):
    """The log-probability of an order that is generated H items a pass.

        sum over places of log softmax over the candidates not chosen yet

    Args:
        logits: float32 `[lists, passes, H, list]`.
        order: int32 `[lists, slate]`, -1 past the list's end.
        is_valid: bool `[lists, list]`.

    Returns:
        float32 `[lists]`.
    """
    slate, length = order.shape[1], logits.shape[-1]
    logits = ops.reshape(logits, (-1, logits.shape[1] * logits.shape[2], length))
    remains = remaining(order, is_valid, 1)
    log_p = ops.log_softmax(mask_logits(logits[:, :slate], remains))
    item = ops.maximum(order, 0)[..., None]
    log_p = ops.take_along_axis(log_p, item, axis=2)[..., 0]
    return ops.sum(ops.where(order >= 0, log_p, 0.0), axis=1)


def windows(values, heads, filler):
    """What stands at places t..t + H - 1 for each t: `[lists, slate, H]`."""
    slate = values.shape[1]
    padded = ops.pad(values, ((0, 0), (0, heads - 1)), constant_values=filler)
    return ops.stack([padded[:, k : k + slate] for k in range(heads)], axis=2)


def log_p_ahead(logits, order, is_valid):
    """Log-probabilities of the next H items under each head, chosen ones masked.

    Args:
        logits: float32 `[lists, slate, H, list]`.
        order: int32 `[lists, slate]`, -1 past the list's end.
        is_valid: bool `[lists, list]`.

    Returns:
        float32 `[lists, slate, H, H]`, of head k for the item at place t + i, 0 where
        there is none; and which items are there, bool `[lists, slate, H]`.
    """
    heads = logits.shape[2]
    items = windows(order, heads, -1)
    remains = remaining(order, is_valid, 1)[:, :, None]
    log_p = ops.log_softmax(mask_logits(logits, remains))
    index = ops.repeat(ops.maximum(items, 0)[:, :, None], heads, axis=2)
    log_p, is_there = ops.take_along_axis(log_p, index, axis=3), items >= 0
    both = is_there[..., None] & is_there[:, :, None]
    return ops.where(both, log_p, 0.0), is_there


def prediction_loss(log_p, is_there):
    """L_n, the mean of -log p of head k for the item at t + k: float32 `[lists]`."""
    own = ops.diagonal(log_p, axis1=2, axis2=3)
    return masked_mean(-own, is_there, axis=(1, 2))


def order_loss(log_p, is_there, clicks):
    """L_o: of two orders of the next H items, the better one is to be likelier.

        mean over t and pairs S(Y+) > S(Y-) of -log sigmoid(log P(Y+) - log P(Y-))

    log P(Y) is the sum of the heads' log-probabilities, S the DCG of the clicks within
    the H places, which sorts as their NDCG does.

    Args:
        log_p, is_there: As from `log_p_ahead`.
        clicks: float32 `[lists, slate, H]`, 0 or 1.

    Returns:
        float32 `[lists]`; 0 without a pair.
    """
    heads = log_p.shape[2]
    orders = np.array([*itertools.permutations(range(heads))])
    # [orders, head, item]: which item an order gives to each head.
    given = np.eye(heads, dtype="float32")[orders]
    total = ops.einsum("btki,aki->bta", log_p, given)
    gains = np.einsum("k,aki->ai", 1 / np.log2(np.arange(heads) + 2), given)
    worth = ops.einsum("bti,ai->bta", clicks, ops.cast(gains, "float32"))
    # Past the list's end there is nothing to move.
    is_kept = orders == np.arange(heads)
    may_be = ops.all(is_there[:, :, None] | is_kept, axis=-1)
    is_pair = worth[..., :, None] > worth[..., None, :] + _DIFFERENCE
    is_pair = is_pair & may_be[..., :, None] & may_be[..., None, :]
    terms = ops.softplus(total[..., None, :] - total[..., :, None])
    return masked_mean(terms, is_pair, axis=(1, 2, 3))
