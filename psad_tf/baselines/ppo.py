"""Proximal policy optimization for orders, without a critic."""

import numpy as np
from keras import ops

from psad_tf.masking import mask_logits


def choices(paths):
    """Log-probabilities of the items chosen, and entropies of the choices.

    Args:
        paths: `psad_tf.baselines.pointer_decoder.Paths`.

    Returns:
        Two of float32 `[batch, paths, slate]`, 0 past the list's end.
    """
    log_p = ops.log_softmax(mask_logits(paths.logits, paths.remains))
    # Finite where the probability is 0, so that the product and its gradient are 0.
    log_p = ops.where(paths.remains, log_p, 0.0)
    p = ops.where(paths.remains, ops.exp(log_p), 0.0)
    taken = ops.one_hot(paths.order, paths.logits.shape[-1], dtype="float32")
    return ops.sum(taken * log_p, axis=-1), -ops.sum(p * log_p, axis=-1)


def advantages(reward, gamma):
    """Discounted sums of rewards, standardised over a list's orders at each place.

    Args:
        reward: float32 `[batch, orders, slate]`.
        gamma: Discount of a place.

    Returns:
        float32 `[batch, orders, slate]`, 0 where all orders are worth the same.
    """
    slate = reward.shape[2]
    ahead = np.arange(slate)[:, None] - np.arange(slate)
    discount = np.where(ahead >= 0, float(gamma) ** np.maximum(ahead, 0), 0.0)
    worth = ops.matmul(reward, ops.convert_to_tensor(discount, "float32"))
    centred = worth - ops.mean(worth, axis=1, keepdims=True)
    deviation = ops.sqrt(ops.mean(centred**2, axis=1, keepdims=True))
    return centred / (deviation + 1e-6)


def clipped_gain(ratio, advantage, clip):
    """What is to be gained by making a choice likelier, within reach of the old policy.

    Args:
        ratio: float32, any shape, the choice's probability now over that when drawn.
        advantage: float32, the same shape.
        clip: How far from 1 a ratio still counts.
    """
    kept = ops.clip(ratio, 1 - clip, 1 + clip)
    return ops.minimum(ratio * advantage, kept * advantage)
