"""The attention rank loss, which DLCM and SetRank are trained by."""

from keras import ops

from psad_tf.masking import mask_logits

_EPSILON = 1e-9


def attention_rank_loss(scores, label, is_valid):
    """Binary cross-entropy between the attention that items deserve and that they get.

        a_i = τ(y_i) / sum_j τ(y_j), τ(y) = e^y for y > 0, else 0;  p = softmax(s)
        loss = - sum_i a_i log p_i + (1 - a_i) log(1 - p_i)

    From DLCM (Ai et al., SIGIR 2018); SetRank (Pang et al., SIGIR 2020) takes it over.

    Args:
        scores: float32 `[batch, list]`.
        label: float `[batch, list]`, above 0 for a click.
        is_valid: bool `[batch, list]`.

    Returns:
        float32 `[batch]`; 0 for a list without a click, which says nothing of order.
    """
    is_clicked = is_valid & (label > 0)
    due = ops.where(is_clicked, ops.exp(ops.cast(label, "float32")), 0.0)
    due = due / ops.maximum(ops.sum(due, axis=-1, keepdims=True), _EPSILON)
    is_other = is_valid[:, None] & ~ops.eye(scores.shape[1], dtype="bool")
    everything = ops.logsumexp(mask_logits(scores, is_valid), axis=-1, keepdims=True)
    # 1 - p_i is the share of the others: exact even where p_i rounds to 1.
    others = ops.logsumexp(mask_logits(scores[:, None], is_other), axis=-1)
    terms = due * (scores - everything) + (1 - due) * (others - everything)
    counts = is_valid & ops.any(is_clicked, axis=-1, keepdims=True)
    return -ops.sum(ops.where(counts, terms, 0.0), axis=-1)
