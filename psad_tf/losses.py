"""The losses of the paper as pure functions, each float32 `[batch]`, one value a list.

`reduction` says how a list's terms are put together: `sum` as printed, or `mean`, which
keeps lists of any length, and the losses among each other, on one scale.
"""

from keras import ops

from psad_tf.masking import mask_logit, mask_logits, masked_mean

_EPSILON = 1e-9


def slot_weights(slots):
    """ω of eq 6: 1 / log2(j + 1) with j counted from 1, so that the first slot has 1.

    Args:
        slots: int, any shape, counted from 0.
    """
    return 1 / ops.log2(ops.cast(slots, "float32") + 2)


def sigmoid_cross_entropy(label, logits):
    """Binary cross-entropy of each entry, from logits: any shape, finite everywhere."""
    return ops.relu(logits) - logits * label + ops.softplus(-ops.abs(logits))


def hinge(label, values, remains):
    """1 - (lowest value of a click) + (highest value of a non-click), at least 0.

    Args:
        label: float `[batch, 1, list]`, 0 or 1.
        values: float `[batch, slots, list]`.
        remains: bool `[batch, slots, list]`, the candidates a slot may choose.

    Returns:
        float `[batch, slots]`; 0 where no click or no non-click remains.
    """
    is_click, is_other = remains & (label > 0), remains & (label <= 0)
    far = -mask_logit("float32")
    lowest = ops.min(ops.where(is_click, values, far), axis=-1)
    highest = ops.max(ops.where(is_other, values, -far), axis=-1)
    has_both = ops.any(is_click, axis=-1) & ops.any(is_other, axis=-1)
    # Masked before the relu: no gradient then comes from the placeholders.
    return ops.relu(ops.where(has_both, 1 - lowest + highest, 0.0))


def click_losses(logits, label, remains, kind="bce", counts=None):
    """The cross-entropy of eq 6 and eq 7, before it is put together over candidates.

        bce      both halves of each candidate's binary cross-entropy
        clicks   the half of clicked candidates, as printed: 1 everywhere is best
        softmax  -log of a clicked candidate's share among those that remain

    Args:
        logits: float32 `[..., list]`.
        label: float, broadcastable to `logits`, above 0 for a click.
        remains: bool, broadcastable to `logits`, the candidates there are.
        kind: One of the above.
        counts: bool, as `remains`, those among them that are learned from; None is all.

    Returns:
        float32 `[..., list]`, finite everywhere; and which of them are terms, bool
        `[..., list]`: all that count, but only the clicked ones of a softmax.
    """
    counts = remains if counts is None else remains & counts
    is_clicked = counts & (label > 0)
    if kind == "softmax":
        log_p = ops.log_softmax(mask_logits(logits, remains))
        return ops.where(is_clicked, -log_p, 0.0), is_clicked
    # What does not remain may carry the mask logit; 0 in its place keeps sums finite.
    entropy = sigmoid_cross_entropy(
        ops.cast(is_clicked, "float32"), ops.where(remains, logits, 0.0)
    )
    is_term = is_clicked if kind == "clicks" else counts
    return ops.where(is_term, entropy, 0.0), counts


def generation_loss(
    logits,
    label,
    remains,
    slots,
    kind="bce",
    counts=None,
    hinge_on="logits",
    hinge_weight=1.0,
    reduction="mean",
):
    """Eq 6: at each slot cross-entropy and hinge over the candidates that remain.

    Args:
        logits: float32 `[batch, slots, list]`, logits of p_ij.
        label: float `[batch, list]`, above 0 for a click.
        remains: bool `[batch, slots, list]`, the candidates each slot may choose.
        slots: int `[batch or 1, slots]`, counted from 0: the slots' weights.
        kind: Of the cross-entropy, see `click_losses`.
        counts: bool `[batch, slots, list]`, the candidates a slot learns from; None is
            all that remain: ŷ does not depend on j, as printed.
        hinge_on: Hinge of `logits`, or of `probabilities` as printed, where it can only
            reach 0 at the limits.
        hinge_weight: Of the hinge next to the cross-entropy; 1 as printed.
        reduction: `mean` over candidates and weighted mean over slots, or `sum`.
    """
    label = label[:, None]
    entropy, is_term = click_losses(logits, label, remains, kind, counts)
    values = logits if hinge_on == "logits" else ops.sigmoid(logits)
    margin = hinge_weight * hinge(
        label, values, remains if counts is None else remains & counts
    )
    has_item = ops.cast(ops.any(remains, axis=-1), "float32")
    weights = slot_weights(slots) * has_item
    if reduction == "sum":
        return ops.sum(weights * (ops.sum(entropy, axis=-1) + margin), axis=-1)
    terms = masked_mean(entropy, is_term) + margin
    return ops.sum(weights * terms, axis=-1) / ops.maximum(
        ops.sum(weights, axis=-1), _EPSILON
    )


def scorer_loss(scores, label, is_valid, kind="bce", reduction="mean"):
    """Eq 7; the `bce` has a term for what was not clicked, which the paper lacks.

    Args:
        scores: float32 `[batch, list]`, logits.
        label: float `[batch, list]`, above 0 for a click.
        is_valid: bool `[batch, list]`.
        kind: See `click_losses`; a `softmax` is 0 for a list without a click.
        reduction: `mean` over candidates (`softmax`: over clicks), or `sum`.
    """
    entropy, is_term = click_losses(scores, label, is_valid, kind)
    if reduction == "sum":
        return ops.sum(entropy, axis=-1)
    return masked_mean(entropy, is_term)


def teacher_scores(logits, remains, on="logits"):
    """Eq 8: what the generator makes of each candidate, early slots counting most.

        softmax over the candidates that remain at slot j; mean over j, weights e^-j

    Args:
        logits: float32 `[batch, slate, list]`, logits of p_ij.
        remains: bool `[batch, slate, list]`; nothing remains at a slot without an item.
        on: Softmax of `logits`, or of `probabilities` as printed. Probabilities lie in
            [0, 1], so that their softmax is nearly flat.

    Returns:
        float32 `[batch, list]`, p̂: 0 or more, sums to 1; all 0 for an empty list.
    """
    values = logits if on == "logits" else ops.sigmoid(logits)
    shares = ops.softmax(mask_logits(values, remains))
    has_item = ops.cast(ops.any(remains, axis=-1), "float32")
    weights = ops.exp(-ops.arange(logits.shape[1], dtype="float32")) * has_item
    total = ops.sum(shares * weights[..., None], axis=1)
    return total / ops.maximum(ops.sum(weights, axis=1), _EPSILON)[:, None]


def distillation_loss(teacher, scores, is_valid, temperature=1.0, on="logits"):
    """Eq 9: KL(teacher || student) over the list's candidates.

    Give the teacher through `stop_gradient`.

        probabilities (as printed): softmax(p̂ / τ) against softmax(sigmoid(score) / τ)
        logits: softmax(log p̂ / τ) against softmax(score / τ)

    p̂ is a distribution already, so at τ = 1 `logits` compares p̂ itself.

    Args:
        teacher: float32 `[batch, list]`, p̂ of eq 8.
        scores: float32 `[batch, list]`, the student's logits.
        is_valid: bool `[batch, list]`.
        temperature: τ.
        on: `logits` or `probabilities`.
    """
    if on == "logits":
        teacher, student = ops.log(ops.maximum(teacher, _EPSILON)), scores
    else:
        student = ops.sigmoid(scores)
    log_p = ops.log_softmax(mask_logits(teacher / temperature, is_valid))
    log_q = ops.log_softmax(mask_logits(student / temperature, is_valid))
    terms = ops.exp(log_p) * (log_p - log_q)
    return ops.sum(ops.where(is_valid, terms, 0.0), axis=-1)


def mean_over_lists(loss, sample_weight=None):
    """The mean of a loss over lists, weighted if need be.

    Args:
        loss: float32 `[batch]`.
        sample_weight: float `[batch]`, the weight of each list, or None.
    """
    if sample_weight is None:
        return ops.mean(loss)
    weight = ops.cast(sample_weight, "float32")
    return ops.sum(weight * loss) / ops.maximum(ops.sum(weight), _EPSILON)
