"""The decoder against eq 3 to 5; padding is noise here and absent there."""

import math

import numpy as np
import pytest
from arithmetic import weights_of
from generator_equations import eq_3, eq_4, eq_5
from model_cases import awake

from psad_tf.generator import generate, refine
from psad_tf.layers.candidate_decoder import CandidateDecoder

RANDOM = np.random.default_rng(13)
M, T = 6, 5
COUNTS = [6, 4, 1]
STATES = RANDOM.normal(size=(3, M, 8)).astype("float32")
IS_VALID = np.arange(M) < np.array(COUNTS)[:, None]
ORDER = np.array([[3, 0, 5, 1, 2], [1, 3, 0, 2, -1], [0, -1, -1, -1, -1]], "int32")
CLOSE = {"atol": 2e-5, "rtol": 1e-4}


def decoder(num_layers):
    layer = CandidateDecoder(T, num_layers, num_heads=2, ffn_dim=16)
    layer.build(STATES.shape)
    return awake(layer)


def test_eq_5_by_hand():
    """(1, 2, 0, 0) . (3, -1, 5, 0) = 1, over sqrt(4)."""
    assert eq_5([[1.0, 2.0, 0.0, 0.0]], [3.0, -1.0, 5.0, 0.0]) == [1 / math.sqrt(4)]


@pytest.mark.parametrize("num_layers", [0, 1, 2])
@pytest.mark.parametrize("block_size", [1, 2, 3, 5])
def test_blocks_are_eq_3_and_5(num_layers, block_size):
    layer = decoder(num_layers)
    weights = weights_of(layer)
    found = np.array(generate(layer, STATES, IS_VALID, ORDER, block_size))
    for b, count in enumerate(COUNTS):
        states, order = STATES[b, :count], [i for i in ORDER[b].tolist() if i >= 0]
        for slot in range(T):
            block, inside = divmod(slot, block_size)
            queries = eq_3(states, order, block, block_size, weights, heads=2)
            expected = eq_5(states, queries[inside])
            np.testing.assert_allclose(found[b, slot, :count], expected, **CLOSE)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_refined_slots_are_eq_4_and_5(num_layers):
    layer = decoder(num_layers)
    weights = weights_of(layer)
    slots = np.array([[1, 3], [0, 2], [0, 4]], "int32")
    is_masked = (slots[..., None] == np.arange(T)).any(axis=1)
    found, _ = refine(layer, STATES, IS_VALID, ORDER, slots, is_masked)
    for b, count in enumerate(COUNTS):
        states, order = STATES[b, :count], [i for i in ORDER[b].tolist() if i >= 0]
        queries = eq_4(states, order, slots[b].tolist(), weights, heads=2)
        for j, query in enumerate(queries):
            expected = eq_5(states, query)
            np.testing.assert_allclose(found[b, j, :count], expected, **CLOSE)
