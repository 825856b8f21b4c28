"""Eq 3 to 5 in loops, written from the paper.

A slot's own block, what is placed already and the candidates are lists of what is
really there: nothing is masked, it is left out. Slots are counted from 0.
"""

import math

from arithmetic import add, dot, linear, part
from encoder_equations import eq_2


def eq_3(states, order, block, block_size, weights, heads):
    """Y of one block's slots, conditioned on the blocks before it.

        Y_I = CrossAttn(H, Y_<I),  I = {(b-1)K+1, ..., min(bK, T)}

    The paper doesn't say what Y starts from. Amended: a slot starts from its embedding;
    an item placed before is its state, projected, with its slot's embedding; the slots
    of a block see each other and not that block's items.

    Args:
        states: `[candidates][dim]`, H.
        order: The candidate in each slot; those of earlier blocks are read.
        block: b, counted from 0.
        block_size: K.
        weights: Of a `CandidateDecoder`.
        heads: Attention heads.

    Returns:
        `[slots of the block][dim]`.
    """
    slate_length = len(weights["slots/embeddings"])
    first = block * block_size
    slots = range(first, min(first + block_size, slate_length))
    return cross_attention(
        states, dict(list(enumerate(order))[:first]), slots, weights, heads
    )


def eq_4(states, order, masked, weights, heads):
    """Y of the masked slots, conditioned on all the others.

        Y'_M = CrossAttn(H, Y_({1..T} without M))

    As printed; the masked slots see each other.

    Args:
        states: `[candidates][dim]`, H.
        order: The candidate in each slot.
        masked: The slots in M.
        weights: Of a `CandidateDecoder`.
        heads: Attention heads.
    """
    kept = {slot: item for slot, item in enumerate(order) if slot not in masked}
    return cross_attention(states, kept, masked, weights, heads)


def cross_attention(states, placed, slots, weights, heads):
    """Queries of slots through the decoder's layers.

    Args:
        states: `[candidates][dim]`.
        placed: The candidate in each slot that is seen.
        slots: The slots whose queries these are.
        weights: Of a `CandidateDecoder`.
        heads: Attention heads.
    """
    embeddings = weights["slots/embeddings"]
    items = [
        add(linear(states[item], weights, "item"), embeddings[slot])
        for slot, item in placed.items()
    ]
    queries = [list(embeddings[slot]) for slot in slots]
    layer = 0
    while block := part(weights, f"block_{layer}"):
        keys = [*states, *items, *queries]
        nowhere = [[0.0] * len(keys) for _ in queries]
        queries = eq_2(queries, keys, nowhere, block, heads)
        layer += 1
    return queries


def eq_5(states, query):
    """The logits of one slot's p_ij.

        p_ij = Sigmoid(H_i . Y_j)                                         as printed
        p_ij = Sigmoid(H_i . Y_j / sqrt(d))                                  amended

    Args:
        states: `[candidates][dim]`, H.
        query: `[dim]`, Y_j.
    """
    return [dot(state, query) / math.sqrt(len(query)) for state in states]
