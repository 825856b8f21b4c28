"""Requests of no rows, and of too many.

A batch of TensorFlow Serving, and one inside the graph, is made of rows: a request that
brings none has been seen to hang until its deadline, and to fail others. And one of a
million rows, which a few bytes can ask for, takes all memory.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from serving.fault import invalid


def answer_of_no_rows(
    signature, feeds: Mapping[str, np.ndarray], fetches: Mapping[str, str]
) -> dict[str, np.ndarray] | None:
    """The answer to a request of no rows, without running anything.

    Args:
        signature: The `SignatureDef`.
        feeds: Graph tensor name → array.
        fetches: Output alias → graph tensor name.

    Returns:
        Output alias → an array of no rows; None when there are rows, or where the
        signature does not say what an answer of no rows looks like.
    """
    if not feeds or any(a.ndim == 0 or a.shape[0] for a in feeds.values()):
        return None
    inputs = signature.inputs.values()
    outputs = {alias: signature.outputs[alias] for alias in fetches}
    shapes = {alias: _row_shape(info) for alias, info in outputs.items()}
    if not all(map(_has_free_rows, inputs)) or None in shapes.values():
        return None
    return {
        alias: np.zeros((0, *shapes[alias]), _numpy_type(info))
        for alias, info in outputs.items()
    }


def check_rows(signature, feeds: Mapping[str, np.ndarray], most: int) -> None:
    """Refuses a request of too many rows.

    Args:
        signature: The `SignatureDef`.
        feeds: Graph tensor name → array.
        most: How many rows an input may have.

    Raises:
        Fault: One has more.
    """
    for alias, info in signature.inputs.items():
        if _has_free_rows(info) and len(feeds[info.name]) > most:
            raise invalid(
                f"input {alias} has {len(feeds[info.name])} rows; send at most {most} "
                "in a request, or start the server with a larger --max_request_rows"
            )


def _has_free_rows(info):
    shape = info.tensor_shape
    return not shape.unknown_rank and len(shape.dim) > 0 and shape.dim[0].size == -1


def _row_shape(info):
    """The shape of one row; None when it is not fixed."""
    sizes = [dim.size for dim in info.tensor_shape.dim]
    if not _has_free_rows(info) or -1 in sizes[1:]:
        return None
    return tuple(sizes[1:])


def _numpy_type(info):
    return tf.dtypes.as_dtype(info.dtype).as_numpy_dtype
