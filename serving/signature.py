"""A request against a signature: what is fed, what is fetched, what is refused.

Codes and messages are those that TensorFlow Serving 2.19 was seen to give.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from serving.fault import invalid
from serving.tensors import read_tensor

# Where the C++ name of a type is not that of NumPy.
_CPP_NAMES = {"float16": "half", "float32": "float", "float64": "double"}


def read_inputs(signature, inputs: Mapping) -> dict[str, np.ndarray]:
    """What to feed: graph tensor name → array.

    Args:
        signature: The `SignatureDef`.
        inputs: Input alias → TensorProto.

    Raises:
        Fault: An input is missing, unknown, of another type, or no tensor.
    """
    expected = signature.inputs
    if len(inputs) != len(expected):
        raise invalid(
            f"input size does not match signature: {len(inputs)}!={len(expected)} "
            f"len({_set(inputs)}) != len({_set(expected)}). "
            f"Sent extra: {_set(inputs.keys() - expected.keys())}. "
            f"Missing but required: {_set(expected.keys() - inputs.keys())}."
        )
    feeds = {}
    for position, (alias, info) in enumerate(sorted(expected.items())):
        if alias not in inputs:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {info.name}) not found in "
                "request and no default value provided. Inputs expected to be in the "
                f"request {_set(inputs)}, or default input alias set: "
            )
        try:
            feeds[info.name] = read_tensor(inputs[alias])
        except ValueError as error:
            raise invalid(f"tensor parsing error: {alias}") from error
        if inputs[alias].dtype != info.dtype:
            raise invalid(
                f"Expects arg[{position}] to be {_cpp_name(info.dtype)} but "
                f"{_cpp_name(inputs[alias].dtype)} is provided"
            )
        _check_shape(alias, feeds[info.name].shape, info.tensor_shape)
    return feeds


def select_outputs(signature, output_filter: Iterable[str]) -> dict[str, str]:
    """What to fetch: output alias → graph tensor name; all without a filter.

    Raises:
        Fault: The filter names an output that is unknown, or one twice.
    """
    outputs = signature.outputs
    chosen = {}
    for alias in output_filter:
        if alias not in outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected "
                f"to be in the set {_set(outputs)}."
            )
        if alias in chosen:
            raise invalid(f"duplicate output tensor alias: {alias}")
        chosen[alias] = outputs[alias].name
    return chosen or {alias: info.name for alias, info in outputs.items()}


def _check_shape(alias, shape, expected):
    """Refuses what the signature rules out; kernels need not notice, or survive it."""
    if expected.unknown_rank:
        return
    sizes = [dim.size for dim in expected.dim]
    is_alike = len(sizes) == len(shape) and all(
        size in (-1, given) for size, given in zip(sizes, shape, strict=True)
    )
    if not is_alike:
        wanted = ",".join("?" if size == -1 else str(size) for size in sizes)
        raise invalid(
            f"input {alias} has the shape [{','.join(map(str, shape))}], which is not "
            f"the signature's [{wanted}]"
        )


def _set(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"


def _cpp_name(data_type: int) -> str:
    name = tf.dtypes.as_dtype(data_type).name
    return _CPP_NAMES.get(name, name)
