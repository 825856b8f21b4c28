"""Operations that the converter to ONNX does not know, or not well enough."""

import numpy as np
from onnx import TensorProto
from tf2onnx.onnx_opset.nn import Pad
from tf2onnx.utils import make_name


def as_erf(graph, node, name, args) -> None:
    """Writes `erfc(x)`, by which TensorFlow makes GELU, as `1 - erf(x)`.

    ONNX has no `erfc`: https://github.com/onnx/tensorflow-onnx/pull/2463.

    Args:
        graph: The converter's, which is changed.
        node: The operation.
        name, args: As the converter gives them.
    """
    (output,) = node.output
    node.type = "Erf"
    one = graph.make_const(make_name("one"), np.float32(1)).output[0]
    graph.insert_new_node_on_output("Sub", output, inputs=[one, output])


def padded(graph, node, name, args) -> None:
    """Pads; of a mask, the converter casts what is padded but not what with.

    Args:
        graph, node, name, args: As for `as_erf`.
    """
    node.type = "Pad"
    if graph.get_dtype(node.output[0]) == TensorProto.BOOL:
        graph.insert_new_node_on_input(
            node, "Cast", node.input[2], input_index=2, to=TensorProto.FLOAT
        )
    Pad.version_11(graph, node)


HANDLERS = {"Erfc": (as_erf, []), "PadV2": (padded, [])}
