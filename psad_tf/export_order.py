"""What a list's scores are answered with: where each candidate goes."""

import tensorflow as tf


def ranked(scores, is_valid, is_compiled: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores, and the order they give; ties keep the initial order.

    Args:
        scores: float `[batch, list]`.
        is_valid: bool `[batch, list]`: candidates, the first of each list; the rest is
            padding.
        is_compiled: Whether XLA compiles it.

    Returns:
        Scores, float32 `[batch, list]`, very low on padding; and the order, int32
        `[batch, list]`: indices of the candidates, best first, -1 past the list's end.
    """
    scores = tf.cast(scores, tf.float32)
    scores = tf.where(is_valid, scores, scores.dtype.min / 2)
    if is_compiled:
        order = _order_by_comparing(scores)
    else:
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
    # Padding is last: nothing scores as low.
    length = tf.shape(scores)[1]
    count = tf.reduce_sum(tf.cast(is_valid, tf.int32), axis=1, keepdims=True)
    return scores, tf.where(tf.range(length) < count, order, -1)


def _order_by_comparing(scores: tf.Tensor) -> tf.Tensor:
    """`argsort` without a sort: two reductions that a compiler fuses.

    A candidate's place is how many stand before it; the order is where each place is
    found. XLA's sort of rows this short is dozens of kernels on a GPU.
    """
    scores = tf.where(tf.math.is_nan(scores), scores.dtype.min, scores)
    index = tf.range(tf.shape(scores)[1])
    mine, other = scores[:, :, tf.newaxis], scores[:, tf.newaxis, :]
    is_before = (other > mine) | (
        (other == mine) & (index < index[:, tf.newaxis])[tf.newaxis]
    )
    place = tf.reduce_sum(tf.cast(is_before, tf.int32), axis=2)
    stands = tf.equal(place[:, tf.newaxis, :], index[:, tf.newaxis])
    return tf.reduce_sum(tf.where(stands, index, 0), axis=2)
