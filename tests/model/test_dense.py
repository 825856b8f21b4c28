"""The dense layer is Keras', but for how its product is made."""

import keras
import numpy as np
import pytest

from psad_tf.layers.dense import Dense


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
