"""The dense layer is Keras', but for how its product is made."""

import keras
import numpy as np
import pytest

from psad_tf.layers.dense import Dense, side_by_side


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (2, 4, 5, 3), (0, 5, 3)])
def test_it_gives_what_keras_gives(shape):
    random = np.random.default_rng(0)
    x = random.normal(size=shape).astype(np.float32)
    keras_own, own = keras.layers.Dense(7, "relu"), Dense(7, "relu")
    for layer in (keras_own, own):
        layer.build(shape)
    own.set_weights([random.normal(size=w.shape) for w in own.weights])
    keras_own.set_weights(own.get_weights())
    found = keras.ops.convert_to_numpy(own(x))
    expected = keras.ops.convert_to_numpy(keras_own(x))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.shape == (*shape[:-1], 7)


def test_lists_of_any_length_are_left_to_keras():
    layer = Dense(7)
    symbolic = layer(keras.Input((None, 3)))
    assert symbolic.shape == (None, None, 7)
    x = np.ones((2, 6, 3), np.float32)
    assert layer(x).shape == (2, 6, 7)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_one_product_is_that_of_each_layer(policy, bias):
    random = np.random.default_rng(1)
    x = random.normal(size=(2, 4, 3)).astype(np.float32)
    layers = [Dense(n, use_bias=n != 5, dtype=policy) for n in (7, 5, 6)]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    found = side_by_side(layers, x, bias)
    assert keras.backend.standardize_dtype(found.dtype) == layers[0].compute_dtype
    if not bias:
        for layer in (layers[0], layers[2]):
            layer.bias.assign(np.zeros(layer.units))
    expected = keras.ops.concatenate([layer(x) for layer in layers], axis=-1)
    found, expected = (
        keras.ops.convert_to_numpy(keras.ops.cast(v, "float32"))
        for v in (found, expected)
    )
    tolerance = 1e-6 if policy == "float32" else 2e-2
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
