"""What a slot sees, and that training and generation see the same."""

import numpy as np
import pytest
from backend_tools import quick
from model_cases import awake

from psad_tf.generator import generate, refine
from psad_tf.layers.candidate_decoder import CandidateDecoder

RANDOM = np.random.default_rng(13)
M, T = 6, 5
STATES = RANDOM.normal(size=(3, M, 8)).astype("float32")
IS_VALID = np.arange(M) < np.array([6, 4, 1])[:, None]
ORDER = np.array([[3, 0, 5, 1, 2], [1, 3, 0, 2, -1], [0, -1, -1, -1, -1]], "int32")


@pytest.fixture(scope="module")
def decoder():
    layer = CandidateDecoder(T, num_layers=2, num_heads=2, ffn_dim=16)
    layer.build(STATES.shape)
    return awake(layer)


def logits_of(decoder, order, block_size, **kwargs):
    return np.array(generate(decoder, STATES, IS_VALID, order, block_size, **kwargs))


@pytest.mark.parametrize("block_size", [1, 2, 3, 5])
def test_one_pass_equals_block_by_block(decoder, block_size):
    """Fed the same choices, a block knows nothing of what comes behind it."""
    whole = logits_of(decoder, ORDER, block_size)
    for first in range(0, T, block_size):
        slots = range(first, min(first + block_size, T))
        so_far = np.where(np.arange(T) < first, ORDER, -1)
        found = quick(
            lambda x, so_far, slots=slots: generate(
                decoder, x, IS_VALID, so_far, block_size, slots
            )
        )(STATES, so_far)
        np.testing.assert_allclose(
            found, whole[:, first : first + block_size], atol=1e-5
        )


def test_one_block_of_all_slots_knows_no_order(decoder):
    """K = T is non-autoregressive: what has been placed reaches no slot."""
    for order in (ORDER[:, ::-1], np.full_like(ORDER, -1)):
        found = logits_of(decoder, order, T)
        np.testing.assert_array_equal(found, logits_of(decoder, ORDER, T))


def test_blocks_of_one_know_each_item_before_them_and_no_other(decoder):
    """K = 1 is autoregressive."""
    before = logits_of(decoder, ORDER, 1)[0]
    for changed in range(T):
        order = ORDER.copy()
        order[0, changed] = 4
        moved = np.abs(logits_of(decoder, order, 1)[0] - before).max(axis=1)
        np.testing.assert_array_equal(moved > 1e-4, np.arange(T) > changed)


def test_a_slot_sees_earlier_blocks_and_not_its_own(decoder):
    before = logits_of(decoder, ORDER, 2)
    changed = ORDER.copy()
    changed[0, 2] = 4  # In the second of three blocks.
    moved = np.abs(logits_of(decoder, changed, 2) - before)[0].max(axis=1)
    assert (moved[:4] < 1e-6).all() and moved[4] > 1e-3


def test_the_order_of_earlier_items_matters(decoder):
    swapped = ORDER[:, [1, 0, 2, 3, 4]]
    moved = np.abs(logits_of(decoder, swapped, 2) - logits_of(decoder, ORDER, 2))
    assert moved[0, 2:].max() > 1e-3


def test_slots_of_one_block_see_each_other(decoder):
    """Slot 0 alone in its block gets other logits than slot 0 with slot 1 beside it."""
    alone, beside = logits_of(decoder, ORDER, 1), logits_of(decoder, ORDER, 2)
    assert np.abs(alone[0, 0] - beside[0, 0]).max() > 1e-3


def masked_slots(*slots):
    slots = np.array(slots, "int32")
    return slots, (slots[..., None] == np.arange(T)).any(axis=1)


def test_refinement_sees_all_slots_but_the_masked_ones(decoder):
    slots, is_masked = masked_slots([1, 3], [0, 2], [0, 4])
    before, _ = refine(decoder, STATES, IS_VALID, ORDER, slots, is_masked)
    for slot in range(T):
        changed = ORDER.copy()
        changed[0, slot] = 4
        found, _ = refine(decoder, STATES, IS_VALID, changed, slots, is_masked)
        moved = np.abs(np.array(found) - np.array(before))[0].max()
        assert (moved < 1e-6) if slot in (1, 3) else (moved > 1e-3)


def test_refinement_may_choose_what_no_other_slot_keeps(decoder):
    slots, is_masked = masked_slots([1, 3], [0, 2], [0, 4])
    _, remains = refine(decoder, STATES, IS_VALID, ORDER, slots, is_masked)
    remains = np.array(remains)
    for j in range(2):
        np.testing.assert_array_equal(np.flatnonzero(remains[0, j]), [0, 1, 4])
        np.testing.assert_array_equal(np.flatnonzero(remains[1, j]), [0, 1])
    np.testing.assert_array_equal(np.flatnonzero(remains[2, 0]), [0])
    assert not remains[2, 1].any()  # Past the list's end there is nothing to choose.


def test_padding_candidates_do_not_matter(decoder):
    before = logits_of(decoder, ORDER, 2)
    loud = np.where(IS_VALID[..., None], STATES, 40.0).astype("float32")
    found = np.array(generate(decoder, loud, IS_VALID, ORDER, 2))
    for b in range(3):
        valid = IS_VALID[b]
        np.testing.assert_allclose(found[b][:, valid], before[b][:, valid], atol=1e-5)
