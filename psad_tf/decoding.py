"""PSAD-G at work: block by block, a beam of orders, refined, the best one chosen.

All of it is made of fixed-size tensors, so that it compiles as one graph. Beams are
`[batch, width, ...]`.
"""

from keras import ops

from psad_tf.beams import FAR, by_beam, extend_by_block, flat, pick, start
from psad_tf.generator import generate, refine
from psad_tf.masking import mask_logits
from psad_tf.targets import chosen, least_sure


def whole_order(model, inputs, beam_width=None, evaluator=None, refine_size=None):
    """The generated order, and behind it the rest by the student's scores.

    Args:
        model, inputs, beam_width, evaluator, refine_size: As for `beam_search`.

    Returns:
        int32 `[batch, list]`, -1 past the list's end.
    """
    outputs = model(inputs, training=False)
    order, _ = beam_search(model, inputs, beam_width, evaluator, refine_size, outputs)
    return full_order(order, outputs["scores"], inputs["candidate_is_valid"])


def beam_search(
    model, inputs, beam_width=None, evaluator=None, refine_size=None, outputs=None
):
    """Generates an order for each list.

    A block's slots get their logits in parallel and their items one after the other,
    each from the candidates not chosen yet. At the end the `refine_size` slots with the
    least likely choices are predicted again from all the others.

    A beam is worth the sum of its items' log-probabilities among what remained. With
    `target_order="exposed"` p_ij is the probability of a click in slot j, and a beam is
    worth the sum of those: the clicks to be expected.

    Args:
        model: A `PSAD`.
        inputs: The input tensors by name.
        beam_width: Orders kept; None is the configuration's.
        evaluator: `(inputs, int32 [batch, width, slate]) -> float [batch, width]`, the
            value of each order, such as `PRM.value`. None takes the beam's worth.
        refine_size: Slots predicted again; None is the configuration's.
        outputs: What the model made of the inputs; None calls it.

    Returns:
        The order, int32 `[batch, slate]`, -1 past the list's end; and its worth,
        float32 `[batch]`, as generated: a slot predicted again knows more than its
        first choice did, so the two do not compare.
    """
    width = model.config.beam_width if beam_width is None else beam_width
    if width < 1:
        raise ValueError(f"beam_width={width}; it must be at least 1")
    config, is_valid = model.config, inputs["candidate_is_valid"]
    outputs = model(inputs, training=False) if outputs is None else outputs
    states = ops.repeat(outputs["states"], width, axis=0)
    is_valid = ops.repeat(is_valid, width, axis=0)
    decoder, size = model.decoder, config.block_size
    known = decoder.known(states)
    beams = start(by_beam(is_valid, width), config.slate_length)
    by_clicks = config.target_order == "exposed"
    for first in range(0, config.slate_length, size):
        slots = range(first, min(first + size, config.slate_length))
        order = flat(beams.order)
        logits = generate(decoder, states, is_valid, order, size, slots, known=known)
        beams = extend_by_block(beams, by_beam(logits, width), slots, by_clicks)
    count = config.refine_size if refine_size is None else refine_size
    if count:
        order = _refine(decoder, beams, states, is_valid, count, known)
        beams = beams._replace(order=order)
    value = beams.total if evaluator is None else evaluator(inputs, beams.order)
    # Beams that are no order at all are out of the choice.
    value = ops.where(beams.total > FAR / 2, value, FAR)
    best = ops.argmax(value, axis=1)[:, None]
    order = pick(beams.order, best)[:, 0]
    return order, pick(beams.total, best)[:, 0]


def full_order(order, scores, is_valid):
    """The generated order, then the rest of the candidates from the best score down.

    Args:
        order: int `[batch, slate]`, -1 past the list's end.
        scores: float `[batch, list]`; on ties the first comes first.
        is_valid: bool `[batch, list]`.

    Returns:
        int32 `[batch, list]`, -1 past the list's end.
    """
    length = is_valid.shape[1]
    place = ops.arange(length, dtype="int32")
    slot = ops.arange(order.shape[1], dtype="int32")[None, :, None]
    placed = ops.one_hot(order, length, dtype="int32")
    above, mine = scores[:, None, :], scores[:, :, None]
    is_ahead = (above > mine) | ((above == mine) & (place < place[:, None]))
    rank = ops.sum(ops.cast(is_ahead, "int32"), axis=2)
    key = length + rank + ops.cast(~is_valid, "int32") * length
    key = ops.where(chosen(order, length), ops.sum(placed * slot, axis=1), key)
    whole = ops.cast(ops.argsort(key, axis=1), "int32")
    count = ops.sum(ops.cast(is_valid, "int32"), axis=1, keepdims=True)
    return ops.where(place < count, whole, -1)


def _refine(decoder, beams, states, is_valid, count, known):
    """Predicts each beam's least sure slots again, one item after the other.

    Returns:
        The new orders, int32 `[batch, width, slate]`.
    """
    width, slate = beams.order.shape[1:]
    order = flat(beams.order)
    slots, is_masked = least_sure(flat(beams.sureness), order >= 0, count)
    logits, remains = refine(
        decoder, states, is_valid, order, slots, is_masked, known=known
    )
    order = ops.where(is_masked, -1, order)
    for i in range(count):
        may = remains[:, i] & ~chosen(order, is_valid.shape[1])
        item = ops.argmax(mask_logits(logits[:, i], may), axis=-1)
        item = ops.where(ops.any(may, axis=-1), ops.cast(item, "int32"), -1)
        here = ops.arange(slate) == slots[:, i, None]
        order = ops.where(here, item[:, None], order)
    return by_beam(order, width)
