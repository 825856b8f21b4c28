"""What an artifact holds of a model: the variables, and the constants of its graphs."""

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2


def stored_arrays(path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Every array of the checkpoint, and every constant of every function."""
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    names = [n for n in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in n]
    content = (path / "saved_model.pb").read_bytes()
    (meta,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    functions = meta.graph_def.library.function
    nodes = [*meta.graph_def.node, *(n for f in functions for n in f.node_def)]
    constants = [n.attr["value"].tensor for n in nodes if n.op == "Const"]
    return [reader.get_tensor(n) for n in names], [*map(tf.make_ndarray, constants)]


def times_stored(weight, arrays) -> int:
    """How many of the arrays are a weight's values."""
    values = weight.numpy()
    return sum(values.shape == a.shape and (values == a).all() for a in arrays)
