"""Generation at both extremes of K, and between, against decoders of their own.

The decoders here place one item after the other on the list alone, in loops; they know
nothing of blocks seen in one pass, of masks or of beams.
"""

import math

import numpy as np
import pytest
from arithmetic import part, softmax, weights_of
from generator_equations import cross_attention, eq_5
from model_cases import awake, make_batch, tiny
from paper_model import candidate_states, real_list

from psad_tf.decoding import beam_search
from psad_tf.model import build_psad

COUNTS, PAST = [6, 5, 4, 3, 2, 1], [5, 0, 3, 1, 4, 0]


def choose(logits, placed):
    """The likeliest candidate that is not placed yet, and its share of those left."""
    left = [i for i in range(len(logits)) if i not in placed.values()]
    shares = softmax([logits[i] for i in left])
    best = max(range(len(left)), key=shares.__getitem__)
    return left[best], shares[best]


def autoregressive(states, decoder, heads, slots):
    """Each item from all items before it: one slot at a time."""
    placed, log_p = {}, {}
    for slot in slots:
        (query,) = cross_attention(states, placed, [slot], decoder, heads)
        item, share = choose(eq_5(states, query), placed)
        placed[slot], log_p[slot] = item, math.log(share)
    return placed, log_p


def non_autoregressive(states, decoder, heads, slots):
    """All slots from the candidates alone, at once; then items by slot."""
    placed, log_p = {}, {}
    queries = cross_attention(states, {}, slots, decoder, heads)
    for slot in slots[: len(states)]:
        item, share = choose(eq_5(states, queries[slot]), placed)
        placed[slot], log_p[slot] = item, math.log(share)
    return placed, log_p


def semi_autoregressive(states, decoder, heads, slots, size):
    """A block's slots from the items of the blocks before it."""
    placed, log_p = {}, {}
    for first in range(0, len(slots), size):
        block, before = slots[first : first + size], dict(placed)
        queries = cross_attention(states, before, block, decoder, heads)
        for slot, query in zip(block, queries, strict=True):
            if len(placed) < len(states):
                item, share = choose(eq_5(states, query), placed)
                placed[slot], log_p[slot] = item, math.log(share)
    return placed, log_p


def refined(states, decoder, heads, placed, log_p, count):
    """The slots that were the least sure, again from all others."""
    masked = sorted(sorted(placed, key=log_p.get)[:count])
    kept = {slot: item for slot, item in placed.items() if slot not in masked}
    queries = cross_attention(states, kept, masked, decoder, heads)
    for slot, query in zip(masked, queries, strict=True):
        kept[slot], _ = choose(eq_5(states, query), kept)
    return kept


def loops(config, states, decoder, heads):
    """The order of one list by the decoder of its own that K asks for."""
    slots = list(range(config.slate_length))
    if config.block_size == 1:
        slots = slots[: len(states)]
        placed, log_p = autoregressive(states, decoder, heads, slots)
    elif config.block_size == config.slate_length:
        placed, log_p = non_autoregressive(states, decoder, heads, slots)
    else:
        placed, log_p = semi_autoregressive(
            states, decoder, heads, slots, config.block_size
        )
    total = sum(log_p.values())
    if config.refine_size:
        placed = refined(states, decoder, heads, placed, log_p, config.refine_size)
    return [placed[slot] for slot in sorted(placed)], total


@pytest.mark.parametrize("refine_size", [0, 1])
@pytest.mark.parametrize("block_size", [1, 2, 3, 4])
def test_generation_equals_a_loop_over_items(block_size, refine_size):
    config = tiny(block_size=block_size, refine_size=refine_size, num_decoder_layers=2)
    model = awake(build_psad(config), seed=block_size)
    inputs, label = make_batch(config, COUNTS, PAST)
    order, log_p = (np.array(x) for x in beam_search(model, inputs, beam_width=1))
    weights = weights_of(model)
    for row, count in enumerate(COUNTS):
        states = candidate_states(config, weights, real_list(inputs, label, row))
        heads = config.num_heads
        expected, total = loops(config, states, part(weights, "decoder"), heads)
        assert order[row].tolist() == expected + [-1] * max(4 - count, 0)
        np.testing.assert_allclose(log_p[row], total, atol=1e-4)
