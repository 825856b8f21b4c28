"""Variables and graphs of the tests' TensorFlow are what TensorFlow's are."""

import keras
import numpy as np
import pytest
import quick_tensorflow
import tensorflow as tf
from tensorflow.python.ops import gen_resource_variable_ops


def test_variables_alike_in_all_have_their_own_values_and_names(monkeypatch):
    def made():
        found = [keras.Variable(np.zeros(2), name="same") for _ in range(2)]
        found[0].assign([1.0, 2.0])
        return [(v.name, v.dtype, v.numpy().tolist()) for v in found]

    quick = made()
    assert [values for _, _, values in quick] == [[1.0, 2.0], [0.0, 0.0]]
    monkeypatch.setattr(
        gen_resource_variable_ops, "var_handle_op", quick_tensorflow._make
    )
    assert made() == quick


def test_an_error_in_a_graph_still_names_its_operation():
    @tf.function(autograph=False)
    def divided(x):
        return tf.debugging.check_numerics(1.0 / x, "no number", name="the_check")

    assert divided(tf.constant(2.0)) == 0.5
    told = "(?s)the_check.*no number"
    with pytest.raises(tf.errors.InvalidArgumentError, match=told):
        divided(tf.constant(0.0))
