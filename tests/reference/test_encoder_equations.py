"""Layers against eq 1, 2 and 11 to 13; padding is noise here and absent there."""

import math

import numpy as np
import pytest
from arithmetic import gelu, weights_of
from backend_tools import quick
from encoder_equations import encode, eq_1, eq_2, eq_11, eq_12, eq_13
from model_cases import awake

from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.by_head import attention_weights
from psad_tf.layers.late_fusion import LateFusion
from psad_tf.layers.position_bias import PersonalizedPositionBias
from psad_tf.layers.shared_encoder import SharedEncoder
from psad_tf.layers.user_profile_gate import UserProfileGate

RANDOM = np.random.default_rng(7)
PLACEMENTS = ["logits", "weights"]
CLOSE = {"atol": 2e-5, "rtol": 1e-4}


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_eq_1_by_hand():
    """The products are 2 and 0, sqrt(d) is 2."""
    query, keys = [[2.0, 0.0, 0.0, 0.0]], [[1, 5, 0, 0], [0, 3, 0, 0]]
    positions = [[0.25, -0.5]]
    ((first, second),) = eq_1(query, keys, positions, "weights")
    share = math.e**2 / (math.e**2 + 1)
    assert first == pytest.approx(share / 2 + 0.25)
    assert second == pytest.approx((1 - share) / 2 - 0.5)
    ((first, second),) = eq_1(query, keys, positions, "logits")
    assert first / second == pytest.approx(math.exp((1 + 0.25) - (0 - 0.5)))


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_attention_weights(placement):
    queries, keys, positions = floats(3, 4), floats(5, 4), floats(3, 5)
    seen = np.array([True, False, True, True, False])
    expected = eq_1(queries, keys[seen], positions[:, seen], placement)
    products = (queries @ keys.T)[None, None]
    found = np.array(attention_weights(products, seen, positions, 4, placement))[0, 0]
    np.testing.assert_allclose(found[:, seen], expected, **CLOSE)
    np.testing.assert_array_equal(found[:, ~seen], 0)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_attention_block(placement):
    queries, keys, positions = floats(2, 3, 4), floats(2, 5, 4), floats(2, 3, 5)
    seen = RANDOM.random((2, 3, 5)) < 0.6
    seen[..., 0] = True
    block = AttentionBlock(num_heads=2, ffn_dim=6, placement=placement)
    block(queries, keys, seen, positions)
    weights = weights_of(awake(block))
    found = np.array(block(queries, keys, seen, positions))
    for b, q in np.ndindex(2, 3):
        left = seen[b, q]
        (expected,) = eq_2(
            queries[b, q : q + 1],
            keys[b, left],
            positions[b, q : q + 1, left].reshape(1, -1),
            weights,
            heads=2,
            placement=placement,
        )
        np.testing.assert_allclose(found[b, q], expected, **CLOSE)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("kind", ["relative", "table"])
def test_shared_encoder(kind, placement):
    items, user, length = floats(2, 6, 8), floats(2, 5), 6
    is_valid = np.array([[False, False, True, True, True, False], [True] * 6])
    layer = SharedEncoder(2, 2, 12, 3, position=kind, placement=placement)
    layer.build(items.shape, is_valid.shape, user.shape)
    weights = weights_of(awake(layer))
    found = np.array(quick(lambda *x: layer(*x))(items, is_valid, user))
    for b in range(2):
        places = np.flatnonzero(is_valid[b]).tolist()
        states = encode(
            items[b, places], places, user[b], weights, [6, 3], 6, 2, kind, placement
        )
        real = [place - 3 for place in places if place >= length - 3]
        np.testing.assert_allclose(found[b, real], states, **CLOSE)


def test_gate():
    items, user = floats(2, 3, 4), floats(2, 5)
    layer = UserProfileGate()
    layer(items, user)
    weights = weights_of(awake(layer))
    found = np.array(layer(items, user))
    for b, i in np.ndindex(2, 3):
        expected = eq_12(items[b, i], user[b], weights)
        np.testing.assert_allclose(found[b, i], expected, **CLOSE)


def test_eq_11_by_hand():
    """MLP1 = x + 2 p + 3 and MLP2 = 4 x + 5 p + 6 at x = 1, p = -1."""
    one = np.array([[1.0]])
    weights = {
        "linear_item/kernel": one,
        "linear_user/kernel": 2 * one,
        "linear_item/bias": 3 * one[0],
        "gelu_item/kernel": 4 * one,
        "gelu_user/kernel": 5 * one,
        "gelu_item/bias": 6 * one[0],
    }
    assert eq_11([1.0], [-1.0], weights) == ([2.0], [gelu(5.0)])


def test_concatenation_is_the_item_and_a_projection_of_the_profile():
    items, user = floats(2, 3, 4), floats(2, 5)
    layer = UserProfileGate(gated=False)
    layer(items, user)
    kernel = weights_of(awake(layer))["profile/kernel"]
    both = np.concatenate([items, np.repeat(user[:, None], 3, axis=1)], axis=-1)
    expected = both @ np.concatenate([np.eye(4), kernel])
    np.testing.assert_allclose(layer(items, user), expected, **CLOSE)


def test_late_fusion_is_one_layer_on_state_and_profile():
    states, user = floats(2, 3, 4), floats(2, 5)
    layer = LateFusion()
    layer(states, user)
    w = weights_of(awake(layer))
    kernel = np.concatenate([w["state_part/kernel"], w["user_part/kernel"]])
    found = np.array(layer(states, user))
    for b, i in np.ndindex(2, 3):
        fused = np.concatenate([states[b, i], user[b]]) @ kernel + w["state_part/bias"]
        expected = [h + gelu(f) for h, f in zip(states[b, i], fused, strict=True)]
        np.testing.assert_allclose(found[b, i], expected, **CLOSE)


@pytest.mark.parametrize("personal", [True, False])
@pytest.mark.parametrize("kind", ["relative", "table"])
def test_position_bias(kind, personal):
    queries, keys, user = 2, 4, floats(3, 5)
    layer = PersonalizedPositionBias(queries, keys, kind, mlp_dim=6, personal=personal)
    layer(user)
    weights = weights_of(awake(layer))
    found = np.array(layer(user))
    assert found.shape == (3, queries, keys)
    for b, q, k in np.ndindex(3, queries, keys):
        flat = k - q + queries - 1 if kind == "relative" else q * keys + k
        expected = weights["position_values"][flat]
        if personal:
            expected = eq_13(expected, user[b], weights)
        np.testing.assert_allclose(found[b, q, k], expected, **CLOSE)
