"""Eq 11-13 against loops, and where their gradients stop."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_checks import gradients
from model_cases import awake, weight_of

from psad_tf.layers.position_bias import PersonalizedPositionBias, lay_out
from psad_tf.layers.user_profile_gate import UserProfileGate

RANDOM = np.random.default_rng(5)


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_gate_is_eq_11_and_12():
    items, user = floats(2, 3, 4), floats(2, 5)
    layer = UserProfileGate()
    layer(items, user)
    awake(layer)

    def both(name, x, p):
        # One layer on the concatenation (X, P), as the paper writes it.
        kernel = np.concatenate(
            [
                weight_of(layer, f"{name}_item/kernel"),
                weight_of(layer, f"{name}_user/kernel"),
            ]
        )
        return np.concatenate([x, p]) @ kernel + weight_of(layer, f"{name}_item/bias")

    expected = np.zeros_like(items)
    for b in range(2):
        for i in range(3):
            x, p = items[b, i], user[b]
            product = both("linear", x, p) * gelu(both("gelu", x, p))
            gate = sigmoid(
                product @ weight_of(layer, "gate/kernel")
                + weight_of(layer, "gate/bias")
            )
            expected[b, i] = gate * x + p @ weight_of(layer, "profile/kernel")
    np.testing.assert_allclose(layer(items, user), expected, atol=1e-5)


def test_gate_passes_items_only_through_the_product():
    items, user = tf.Variable(floats(1, 2, 4)), tf.constant(floats(1, 5))
    layer = UserProfileGate()
    layer(items, user)
    awake(layer)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(items, user))
    found = tape.gradient(total, items)
    # d(S * X)/dX is S itself once the gate is fixed, and S = (output - W P) / X.
    gate = (layer(items, user) - layer.profile(user)[:, None]) / items
    np.testing.assert_allclose(found, gate, rtol=1e-4)


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


@pytest.mark.parametrize("kind", ["relative", "table"])
def test_position_bias_is_eq_13(kind):
    queries, keys, user = 2, 4, floats(3, 5)
    layer = PersonalizedPositionBias(queries, keys, kind=kind, mlp_dim=6)
    layer(user)
    awake(layer)
    values = weight_of(layer, "position_values")
    kernel = np.concatenate(
        [
            weight_of(layer, "user_part/kernel"),
            weight_of(layer, "position_part/kernel"),
        ]
    )
    expected = np.zeros((3, queries, keys))
    for b in range(3):
        for q in range(queries):
            for k in range(keys):
                flat = k - q + queries - 1 if kind == "relative" else q * keys + k
                p = values[flat]
                both = np.concatenate([user[b], [p]])
                hidden = gelu(both @ kernel + weight_of(layer, "user_part/bias"))
                out = hidden @ weight_of(layer, "output_part/kernel")
                out = out + weight_of(layer, "output_part/bias")
                expected[b, q, k] = p + np.tanh(out[0])
    np.testing.assert_allclose(layer(user), expected, atol=1e-5)


def test_without_the_user_the_bias_is_the_values_for_everybody():
    layer = PersonalizedPositionBias(2, 3, personal=False)
    found = np.array(layer(floats(2, 5)))
    values = weight_of(layer, "position_values")
    np.testing.assert_array_equal(found[0], [values[1:], values[:-1]])
    np.testing.assert_array_equal(found[0], found[1])


def test_position_bias_does_not_reach_the_user():
    user = tf.Variable(floats(2, 5))
    layer = PersonalizedPositionBias(2, 3)
    layer(user)
    awake(layer)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(user) ** 2)
    assert tape.gradient(total, user) is None
    own = gradients(layer.trainable_weights, lambda: layer(user) ** 2)
    assert all(np.abs(g).max() > 0 for g in own)
