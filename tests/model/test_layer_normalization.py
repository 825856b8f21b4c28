"""Normalisation in fewer operations is Keras' own."""

import keras
import numpy as np
import pytest

from psad_tf.layers.layer_normalization import LayerNormalization


@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [("float32", 1e-5), ("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2)],
)
def test_it_normalises_as_keras_does(policy, tolerance):
    random = np.random.default_rng(0)
    # In float16 their squares would overflow.
    values = random.normal(300.0, 400.0, (4, 3, 8)).astype("float32")
    layers = (
        LayerNormalization(dtype=policy),
        keras.layers.LayerNormalization(dtype=policy),
    )
    weights = random.normal(1.0, 0.5, 8), random.normal(size=8)
    for layer in layers:
        layer.build(values.shape)
        layer.set_weights(weights)
    found, expected = (keras.ops.convert_to_numpy(x(values)) for x in layers)
    assert found.dtype == expected.dtype
    found, expected = found.astype("float32"), expected.astype("float32")
    assert np.ptp(expected) > 2
    np.testing.assert_allclose(found, expected, atol=tolerance)
