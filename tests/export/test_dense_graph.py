"""What the dense layer is in a graph of TensorFlow, the only one that is served."""

import tensorflow as tf

from psad_tf.layers.dense import Dense


def test_its_graph_works_out_no_shapes():
    layer = Dense(7)
    layer.build((None, 5, 3))
    spec = tf.TensorSpec([None, 5, 3])
    operations = tf.function(layer).get_concrete_function(spec).graph.get_operations()
    kinds = [operation.type for operation in operations]
    assert kinds.count("MatMul") == 1
    assert not {"Prod", "GatherV2", "Shape"} & set(kinds)
