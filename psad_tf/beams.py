"""Orders under way: what a beam is, and how it grows by an item.

Beams are `[batch, width, ...]`; a decoder takes them `[batch * width, ...]`.
"""

from typing import NamedTuple

from keras import ops

from psad_tf.masking import mask_logits

FAR = -1e9  # The log-probability of what must not happen.


class Beams(NamedTuple):
    """Orders under way.

    Args:
        order: int32 `[batch, width, slate]`, -1 where there is no item (yet).
        sureness: float32 `[batch, width, slate]`, log-probability of each choice.
        total: float32 `[batch, width]`, what a beam is kept by: the sum of its choices'
            worth; far below any real one where a list has fewer orders than there are
            beams.
        is_free: bool `[batch, width, list]`, the candidates that may still be chosen.
    """

    order: object
    sureness: object
    total: object
    is_free: object


def start(is_valid, slate_length):
    """One beam without items; the others are no order yet.

    Args:
        is_valid: bool `[batch, width, list]`.
        slate_length: Slots; T of the paper.
    """
    batch, width = ops.shape(is_valid)[0], is_valid.shape[1]
    total = ops.where(ops.arange(width) == 0, 0.0, FAR)
    return Beams(
        ops.full((batch, width, slate_length), -1, dtype="int32"),
        ops.zeros((batch, width, slate_length)),
        ops.repeat(total[None], batch, axis=0),
        is_valid,
    )


def extend_by_block(beams, logits, slots, by_clicks):
    """Chooses the items of one block: logits `[batch, width, slots, list]`."""
    for i, slot in enumerate(slots):
        beams, parent = _extend(beams, logits[:, :, i], slot, by_clicks)
        logits = pick(logits, parent)
    return beams


def _extend(beams, logits, slot, by_clicks):
    """Puts an item into one slot of each beam: logits `[batch, width, list]`.

    Returns:
        The beams, and the beam each of them comes from: int32 `[batch, width]`.
    """
    batch, width, length = *ops.shape(logits)[:2], logits.shape[2]
    is_free = beams.is_free
    log_p = ops.where(is_free, ops.log_softmax(mask_logits(logits, is_free)), FAR)
    has_item = ops.any(is_free, axis=-1, keepdims=True)
    # Past the list's end a beam has one way to go on, and it is certain.
    certain = ops.where(ops.arange(length) == 0, 0.0, FAR)
    log_p = ops.where(has_item, log_p, certain)
    worth = log_p
    if by_clicks:
        # Past the list's end the one way to go on is worth nothing.
        worth = ops.where(log_p > FAR / 2, ops.sigmoid(logits), FAR)
        worth = ops.where(has_item, worth, certain)
    ways = ops.reshape(beams.total[..., None] + worth, (batch, width * length))
    total, way = _best(ways, width)
    parent, item = ops.cast(way // length, "int32"), ops.cast(way % length, "int32")
    item = ops.where(pick(has_item[..., 0], parent), item, -1)
    choice = ops.reshape(log_p, (batch, width * length))
    choice = ops.take_along_axis(choice, way, axis=1)
    here = ops.arange(beams.order.shape[2]) == slot
    order = ops.where(here, item[..., None], pick(beams.order, parent))
    sureness = ops.where(here, choice[..., None], pick(beams.sureness, parent))
    is_left = ops.arange(length, dtype="int32") != item[..., None]
    is_free = pick(is_free, parent) & is_left
    return Beams(order, sureness, total, is_free), parent


def _best(values, count):
    """The greatest values `[batch, count]`, in falling order, and where they are."""
    if count > 1:
        return ops.top_k(values, count, sorted=True)
    # Without a sort, which a device takes far longer for.
    place = ops.argmax(values, axis=1)[:, None]
    return ops.max(values, axis=1, keepdims=True), ops.cast(place, "int32")


def flat(x):
    """`[batch, width, ...]` to `[batch * width, ...]`."""
    return ops.reshape(x, (-1, *x.shape[2:]))


def by_beam(x, width):
    """`[batch * width, ...]` to `[batch, width, ...]`."""
    return ops.reshape(x, (-1, width, *x.shape[1:]))


def pick(x, index):
    """The beams at `index` `[batch, n]` out of `[batch, width, ...]`."""
    if x.shape[1] == index.shape[1] == 1:
        return x
    extra = (1,) * (len(x.shape) - 2)
    index = ops.reshape(index, (-1, index.shape[1], *extra))
    return ops.take_along_axis(x, index, axis=1)
