"""The decoder's two uses: a block after the blocks before it, and any slot again.

An order is int32 `[batch, slate]`: the candidate in each slot, -1 for none.
"""

from keras import ops

from psad_tf import targets


def generate(
    decoder,
    states,
    is_valid,
    order,
    block_size,
    slots=None,
    training=False,
    known=None,
):
    """Logits of slots that see the items of the blocks before their own (eq 3).

    Training gives the target order and takes all slots in one pass; decoding gives what
    has been chosen so far and takes the slots of one block. Both see the same.

    Args:
        decoder: A `CandidateDecoder`.
        states: float `[batch, list, dim]`, the candidates' states.
        is_valid: bool `[batch, list]`, which candidates are real.
        order: int32 `[batch, slate]`, the items taken as chosen.
        block_size: Slots generated at once; K of the paper.
        slots: A range of whole blocks; None is all slots.
        training: Whether dropout is on.
        known: What `decoder.known` made of the states; None makes it now.

    Returns:
        float32 `[batch, slots, list]`.
    """
    size = order.shape[1]
    rows = slice(0, size) if slots is None else slice(slots.start, slots.stop)
    earlier = targets.earlier_block(size, block_size)[rows]
    same = targets.same_block(size, block_size)[rows, rows]
    ids = ops.zeros_like(order[:, rows]) + ops.arange(
        rows.start, rows.stop, dtype="int32"
    )
    # Of the slots behind these none is of an earlier block.
    before = size if slots is None else slots.start
    return decoder(
        states,
        is_valid,
        ids,
        order[:, :before],
        ops.convert_to_tensor(earlier[:, :before])[None],
        ops.convert_to_tensor(same)[None],
        training=training,
        known=known,
    )


def refine(
    decoder, states, is_valid, order, slots, is_masked, training=False, known=None
):
    """Logits of some slots, from the items in all the others (eq 4).

    Args:
        decoder: A `CandidateDecoder`.
        states: float `[batch, list, dim]`, the candidates' states.
        is_valid: bool `[batch, list]`, which candidates are real.
        order: int32 `[batch, slate]`.
        slots: int32 `[batch, refine]`, the slots to predict; they see each other.
        is_masked: bool `[batch, slate]`, true at these slots.
        training: Whether dropout is on.
        known: What `decoder.known` made of the states; None makes it now.

    Returns:
        The logits, float32 `[batch, refine, list]`; and which candidates these slots
        may choose, bool `[batch, refine, list]`: none that is kept in another slot, and
        none at all where the slot has no item.
    """
    count = slots.shape[1]
    kept = ops.where(is_masked, -1, order)
    logits = decoder(
        states,
        is_valid,
        slots,
        kept,
        ops.ones((1, count, order.shape[1]), dtype="bool"),
        ops.ones((1, count, count), dtype="bool"),
        training=training,
        known=known,
    )
    remains = is_valid & ~targets.chosen(kept, is_valid.shape[1])
    has_item = ops.take_along_axis(order, slots, axis=1) >= 0
    return logits, remains[:, None] & has_item[..., None]
