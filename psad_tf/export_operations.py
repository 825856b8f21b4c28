"""What the served scorer computes: its operations, counted in its graph."""

import re
from collections import Counter

import tensorflow as tf

from psad_tf.export_core import ServedScorer
from psad_tf.export_inputs import input_specs

_PRODUCTS = ("MatMul", "BatchMatMulV2", "Einsum")


def operations(served: ServedScorer) -> dict:
    """Counts the operations of the graph that scores one list of full width.

    Returns:
        `kinds`: type to how many there are; `multiply_adds`: of all matrix products;
        `layers`: layer to `rows`, the rows that its products have for one list, one
        number each, and `multiply_adds`. Products within loops are among the kinds
        alone.
    """
    graph = scorer_graph(served)
    names = {layer.name for layer in served.scorer._flatten_layers()}
    kinds, layers = Counter(op.type for op in graph.get_operations()), {}
    for function in graph.as_graph_def().library.function:
        kinds.update(node.op for node in function.node_def)
    for op in graph.get_operations():
        if op.type in _PRODUCTS and op.outputs[0].shape.is_fully_defined():
            rows, multiply_adds = product_size(op)
            layer = layer_of(op.name, names)
            known = layers.setdefault(layer, {"rows": [], "multiply_adds": 0})
            known["rows"].append(rows)
            known["multiply_adds"] += multiply_adds
    return {
        "kinds": dict(sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))),
        "multiply_adds": sum(layer["multiply_adds"] for layer in layers.values()),
        "layers": layers,
    }


def scorer_graph(served: ServedScorer) -> tf.Graph:
    """The graph that scores one list of full width, as it is traced for the export."""
    width = served.widths[-1]
    score = tf.function(lambda inputs: served.scores(width, inputs), autograph=False)
    one = input_specs(served.scorer.config, *width, lists=1)
    return score.get_concrete_function(one).graph


def product_size(op: tf.Operation) -> tuple[int, int]:
    """The rows of a matrix product's result, and its multiply-adds."""
    left, result = op.inputs[0].shape, op.outputs[0].shape
    rows = result.num_elements() // result[-1]
    return rows, left.num_elements() * result[-1]


def layer_of(name: str, names: set[str]) -> str:
    """The path of the layer that an operation belongs to.

    Args:
        name: The operation's, such as `scorer_1/encoder_1/block_0_1/MatMul_1`, in
            which the graph numbers names that come again.
        names: Names of layers.
    """
    parts = []
    for part in name.split("/"):
        plain = part if part in names else re.sub(r"_\d+$", "", part)
        if plain in names:
            parts.append(plain)
    return "/".join(parts)
