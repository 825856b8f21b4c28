"""PSAD-G at work: block by block, a beam of orders, refined, the best one chosen.

All of it is made of fixed-size tensors, so that it compiles as one graph. Beams are
`[batch, width, ...]`.
"""

from typing import NamedTuple

from keras import ops

from psad_tf.generator import generate, refine
from psad_tf.masking import mask_logits
from psad_tf.targets import chosen, least_sure

_FAR = -1e9  # The log-probability of what must not happen.


class Beams(NamedTuple):
    """Orders under way.

    Args:
        order: int32 `[batch, width, slate]`, -1 where there is no item (yet).
        sureness: float32 `[batch, width, slate]`, log-probability of each choice.
        total: float32 `[batch, width]`, what a beam is kept by: the sum of its choices'
            worth; far below any real one where a list has fewer orders than there are
            beams.
    """

    order: object
    sureness: object
    total: object


def beam_search(model, inputs, beam_width=None, evaluator=None, refine_size=None):
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

    Returns:
        The order, int32 `[batch, slate]`, -1 past the list's end; and its worth,
        float32 `[batch]`, as generated: a slot predicted again knows more than its
        first choice did, so the two do not compare.
    """
    width = model.config.beam_width if beam_width is None else beam_width
    if width < 1:
        raise ValueError(f"beam_width={width}; it must be at least 1")
    config, is_valid = model.config, inputs["candidate_is_valid"]
    states = ops.repeat(model(inputs, training=False)["states"], width, axis=0)
    is_free = ops.repeat(is_valid, width, axis=0)
    beams = _start(is_valid, width, config.slate_length)
    by_clicks = config.target_order == "exposed"
    for first in range(0, config.slate_length, config.block_size):
        slots = range(first, min(first + config.block_size, config.slate_length))
        order = _flat(beams.order)
        logits = generate(
            model.decoder, states, is_free, order, config.block_size, slots
        )
        beams = _extend_by_block(
            beams, _beams(logits, width), slots, is_valid, by_clicks
        )
    count = config.refine_size if refine_size is None else refine_size
    if count:
        order = _refine(model.decoder, beams, states, is_free, count)
        beams = beams._replace(order=order)
    value = beams.total if evaluator is None else evaluator(inputs, beams.order)
    # Beams that are no order at all are out of the choice.
    value = ops.where(beams.total > _FAR / 2, value, _FAR)
    best = ops.argmax(value, axis=1)[:, None]
    order = _pick(beams.order, best)[:, 0]
    return order, _pick(beams.total, best)[:, 0]


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


def _start(is_valid, width, slate_length):
    """One beam without items; the others are no order yet."""
    batch = ops.shape(is_valid)[0]
    total = ops.where(ops.arange(width) == 0, 0.0, _FAR)
    return Beams(
        ops.full((batch, width, slate_length), -1, dtype="int32"),
        ops.zeros((batch, width, slate_length)),
        ops.repeat(total[None], batch, axis=0),
    )


def _extend_by_block(beams, logits, slots, is_valid, by_clicks):
    """Chooses the items of one block: logits `[batch, width, slots, list]`."""
    for i, slot in enumerate(slots):
        beams, parent = _extend(beams, logits[:, :, i], slot, is_valid, by_clicks)
        logits = ops.take_along_axis(logits, parent[..., None, None], axis=1)
    return beams


def _extend(beams, logits, slot, is_valid, by_clicks):
    """Puts an item into one slot of each beam: logits `[batch, width, list]`.

    Returns:
        The beams, and the beam each of them comes from: int32 `[batch, width]`.
    """
    batch, width, length = *ops.shape(logits)[:2], logits.shape[2]
    taken = _beams(chosen(_flat(beams.order), length), width)
    is_free = is_valid[:, None] & ~taken
    log_p = ops.where(is_free, ops.log_softmax(mask_logits(logits, is_free)), _FAR)
    has_item = ops.any(is_free, axis=-1, keepdims=True)
    # Past the list's end a beam has one way to go on, and it is certain.
    certain = ops.where(ops.arange(length) == 0, 0.0, _FAR)
    log_p = ops.where(has_item, log_p, certain)
    worth = log_p
    if by_clicks:
        # Past the list's end the one way to go on is worth nothing.
        worth = ops.where(log_p > _FAR / 2, ops.sigmoid(logits), _FAR)
        worth = ops.where(has_item, worth, certain)
    ways = ops.reshape(beams.total[..., None] + worth, (batch, width * length))
    total, way = ops.top_k(ways, width, sorted=True)
    parent, item = ops.cast(way // length, "int32"), ops.cast(way % length, "int32")
    item = ops.where(_pick(has_item[..., 0], parent), item, -1)
    choice = ops.reshape(log_p, (batch, width * length))
    choice = ops.take_along_axis(choice, way, axis=1)
    here = ops.arange(beams.order.shape[2]) == slot
    order = ops.where(here, item[..., None], _pick(beams.order, parent))
    sureness = ops.where(here, choice[..., None], _pick(beams.sureness, parent))
    return Beams(order, sureness, total), parent


def _refine(decoder, beams, states, is_valid, count):
    """Predicts each beam's least sure slots again, one item after the other.

    Returns:
        The new orders, int32 `[batch, width, slate]`.
    """
    width, slate = beams.order.shape[1:]
    order = _flat(beams.order)
    slots, is_masked = least_sure(_flat(beams.sureness), order >= 0, count)
    logits, remains = refine(decoder, states, is_valid, order, slots, is_masked)
    order = ops.where(is_masked, -1, order)
    for i in range(count):
        may = remains[:, i] & ~chosen(order, is_valid.shape[1])
        item = ops.argmax(mask_logits(logits[:, i], may), axis=-1)
        item = ops.where(ops.any(may, axis=-1), ops.cast(item, "int32"), -1)
        here = ops.arange(slate) == slots[:, i, None]
        order = ops.where(here, item[:, None], order)
    return _beams(order, width)


def _flat(x):
    """`[batch, width, ...]` to `[batch * width, ...]`."""
    return ops.reshape(x, (-1, *x.shape[2:]))


def _beams(x, width):
    """`[batch * width, ...]` to `[batch, width, ...]`."""
    return ops.reshape(x, (-1, width, *x.shape[1:]))


def _pick(x, index):
    """The beams at `index` `[batch, n]` out of `[batch, width, ...]`."""
    extra = (1,) * (len(x.shape) - 2)
    index = ops.reshape(index, (-1, index.shape[1], *extra))
    return ops.take_along_axis(x, index, axis=1)
