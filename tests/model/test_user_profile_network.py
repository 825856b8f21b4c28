"""Where eq 11-13 stop gradients, and how positions are laid out."""

import numpy as np
from backend_tools import gradients, input_gradient
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import awake, weight_of

from psad_tf.layers.position_bias import PersonalizedPositionBias, lay_out
from psad_tf.layers.user_profile_gate import UserProfileGate

RANDOM = np.random.default_rng(5)


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_gate_passes_items_only_through_the_product():
    items, user = floats(1, 2, 4), floats(1, 5)
    layer = UserProfileGate()
    layer(items, user)
    awake(layer)
    found = input_gradient(lambda x: layer(x, user), items)
    # d(S * X)/dX is S itself once the gate is fixed, and S = (output - W P) / X.
    gate = (layer(items, user) - layer.profile(user)[:, None]) / items
    np.testing.assert_allclose(found, gate, rtol=1e-4)


def test_gate_learns_from_the_user_by_both_ways():
    """The gate and the projection: without the one the gradient is another."""
    items, user = floats(1, 2, 4), floats(1, 5)
    layer = UserProfileGate()
    layer(items, user)
    awake(layer)
    whole = input_gradient(lambda p: layer(items, p), user)
    direct = 2 * weight_of(layer, "profile/kernel").sum(axis=1)
    assert np.abs(whole - direct).max() > 1e-3


@given(st.integers(1, 6), st.integers(0, 6))
@settings(deadline=None, max_examples=20)
def test_lay_out_is_toeplitz(queries, more):
    keys = queries + more
    values = np.arange(2 * (keys + queries - 1), dtype="float32").reshape(2, -1)
    expected = np.zeros((2, queries, keys))
    for b in range(2):
        for q in range(queries):
            for k in range(keys):
                expected[b, q, k] = values[b, k - q + queries - 1]
    np.testing.assert_array_equal(lay_out(values, queries), expected)


def test_without_the_user_the_bias_is_the_values_for_everybody():
    layer = PersonalizedPositionBias(2, 3, personal=False)
    found = np.array(layer(floats(2, 5)))
    values = weight_of(layer, "position_values")
    np.testing.assert_array_equal(found[0], [values[1:], values[:-1]])
    np.testing.assert_array_equal(found[0], found[1])


def test_position_bias_does_not_reach_the_user():
    user = floats(2, 5)
    layer = PersonalizedPositionBias(2, 3)
    layer(user)
    awake(layer)
    np.testing.assert_array_equal(input_gradient(lambda p: layer(p) ** 2, user), 0)
    own = gradients(layer.trainable_weights, lambda: layer(user) ** 2)
    assert all(np.abs(g).max() > 0 for g in own)
