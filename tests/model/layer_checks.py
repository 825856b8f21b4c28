"""What every layer keeps to, whatever it computes."""

import keras
import numpy as np
import tensorflow as tf
from model_cases import awake


def gradients(weights, compute):
    """The gradient of the sum of `compute()` by each weight, 0 where none flows."""
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.cast(compute(), tf.float32))
    found = tape.gradient(
        total, [w.value for w in weights], unconnected_gradients="zero"
    )
    return [tf.convert_to_tensor(g).numpy() for g in found]


def run(layer, inputs):
    return np.array(layer(*inputs), dtype=np.float64)


def check_layer(make, inputs, shape, tolerance=0.03):
    """Shape, config and weights round trips, float16, gradients, compilation.

    Args:
        make: `make(**kwargs)` returns the layer.
        inputs: What it is called with.
        shape: The shape of its output.
        tolerance: How far half precision may be off, absolutely.
    """
    layer = make()
    layer(*inputs)
    awake(layer)
    expected = run(layer, inputs)
    assert expected.shape == shape

    packed = keras.saving.serialize_keras_object(layer)
    twin = keras.saving.deserialize_keras_object(packed)
    assert twin.get_config() == layer.get_config()
    twin(*inputs)
    assert [w.path for w in twin.weights] == [w.path for w in layer.weights]
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(run(twin, inputs), expected)

    half = make(dtype="mixed_float16")
    half(*inputs)
    half.set_weights(layer.get_weights())
    real = expected > -1e3  # The mask logit is what it is.
    np.testing.assert_allclose(
        run(half, inputs)[real], expected[real], atol=tolerance, rtol=0.03
    )

    compiled = tf.function(lambda *args: layer(*args), jit_compile=True)
    np.testing.assert_allclose(compiled(*inputs), expected, atol=1e-5, rtol=1e-5)

    mix = np.random.default_rng(0).normal(size=shape) * real
    found = gradients(layer.trainable_weights, lambda: layer(*inputs) * mix)
    for weight, gradient in zip(layer.trainable_weights, found, strict=True):
        assert np.abs(gradient).max() > 0, f"{weight.path} does not learn"
