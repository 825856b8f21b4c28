"""What every layer and every model keeps to, whatever it computes."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from backend_tools import compiled, gradients
from keras import ops
from model_cases import awake

# The share of a number that rounding in each type may take, a few layers deep.
ROUNDING = {"mixed_float16": 2**-8, "mixed_bfloat16": 2**-5}


def run(layer, inputs):
    """The layer's outputs side by side: float64 `[batch, everything]`."""
    return flat(layer(*inputs))


def flat(outputs):
    parts = [ops.convert_to_numpy(ops.cast(x, "float32")) for x in leaves(outputs)]
    return np.concatenate([p.reshape(len(p), -1) for p in parts], axis=1, dtype=float)


def leaves(nest):
    return keras.tree.flatten(nest)


def check_layer(make, inputs, shape):
    """Everything below.

    Args:
        make: `make(**kwargs)` returns the layer.
        inputs: What it is called with; each tensor begins with the batch.
        shape: The shape of its output.
    """
    layer = check_model(make, inputs)
    output = layer(*inputs)
    assert output.shape == shape
    real = flat(output).reshape(shape) > -1e3  # The mask logit is what it is.
    mix = np.random.default_rng(0).normal(size=shape) * real
    mix = mix.astype("float32")
    weights = layer.trainable_weights
    found = gradients(weights, lambda: ops.cast(layer(*inputs), "float32") * mix)
    for weight, gradient in zip(weights, found, strict=True):
        assert np.abs(gradient).max() > 0, f"{weight.path} does not learn"


def check_model(make, inputs):
    """The checks that need no more than outputs; returns a layer of random weights."""
    layer = make()
    layer(*inputs)
    awake(layer)
    expected = run(layer, inputs)
    check_config(layer, inputs, expected)
    check_files(layer, inputs, expected)
    check_batches(layer, inputs, expected)
    for policy in ROUNDING:
        check_policy(make, layer, inputs, policy, expected)
    return layer


def check_config(layer, inputs, expected):
    """`get_config` and `from_config` give a layer that takes the weights over."""
    packed = keras.saving.serialize_keras_object(layer)
    for twin in (
        keras.saving.deserialize_keras_object(packed),
        type(layer).from_config(layer.get_config()),
    ):
        assert twin.get_config() == layer.get_config()
        twin(*inputs)
        assert [w.path for w in twin.weights] == [w.path for w in layer.weights]
        twin.set_weights(layer.get_weights())
        np.testing.assert_array_equal(run(twin, inputs), expected)


def check_files(layer, inputs, expected):
    """A model around the layer survives its `.keras` file and its weights' file."""
    model = wrapped(layer, inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        model.save(path / "model.keras")
        loaded = keras.models.load_model(path / "model.keras")
        np.testing.assert_array_equal(flat(loaded(list(inputs))), expected)
        model.save_weights(path / "model.weights.h5")
        loaded.set_weights([np.zeros(w.shape, w.dtype) for w in loaded.weights])
        loaded.load_weights(path / "model.weights.h5")
        np.testing.assert_array_equal(flat(loaded(list(inputs))), expected)


def check_batches(layer, inputs, expected):
    """Rows stay rows in batches of any size, compiled for any size by XLA."""
    twice = keras.tree.map_structure(lambda x: np.concatenate([x, x]), inputs)
    function = compiled(lambda *args: layer(*args), *inputs)
    for batch, rows in ((inputs, expected), (twice, [*expected] * 2)):
        np.testing.assert_allclose(flat(function(*batch)), rows, atol=1e-5, rtol=1e-5)


def check_policy(make, layer, inputs, policy, expected):
    """Outputs in half precision are those of float32 up to rounding; it can train."""
    half = make(dtype=policy)
    half(*inputs)
    half.set_weights(layer.get_weights())
    found = run(half, inputs)
    real = expected > -1e3  # The mask logit depends on the type.
    assert (found[~real] < -1e3).all()
    error = np.linalg.norm((found - expected)[real]) / np.linalg.norm(expected[real])
    assert error < ROUNDING[policy], f"{policy}: {error}"
    assert error > 0, f"{policy}: nothing was rounded"
    weights = half.trainable_weights
    for gradient in gradients(weights, lambda: flat_sum(half(*inputs), expected)):
        assert np.isfinite(gradient).all()


def flat_sum(outputs, expected):
    """The sum of the outputs that are not mask logits."""
    total, first = 0.0, 0
    for x in leaves(outputs):
        x = ops.reshape(ops.cast(x, "float32"), (len(expected), -1))
        real = expected[:, first : first + x.shape[1]] > -1e3
        total, first = total + ops.sum(ops.where(real, x, 0.0)), first + x.shape[1]
    return total


def wrapped(layer, inputs):
    """A functional model of any batch size around the layer."""

    def symbol(x):
        x = ops.convert_to_tensor(x)
        dtype = keras.backend.standardize_dtype(x.dtype)
        return keras.Input(x.shape[1:], dtype=dtype)

    symbols = [keras.tree.map_structure(symbol, x) for x in inputs]
    return keras.Model(symbols, layer(*symbols))
