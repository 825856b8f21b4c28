"""JSON values to and from tensors, as TensorFlow Serving's REST interface has them."""

import base64
import binascii
import json
import math

import numpy as np
import tensorflow as tf

from serving.fault import invalid

_STRING = 7
_BYTES_SUFFIX = "_bytes"
_MOST_DIMENSIONS = 32


def read_array(value, data_type: int) -> np.ndarray:
    """The tensor in a JSON value, whose shape is that of its first elements.

    Raises:
        Fault: The value is no tensor of that `DataType`.
    """
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if len(shape) > _MOST_DIMENSIONS:
        raise invalid(f"lists are nested more than {_MOST_DIMENSIONS} deep")
    flat = []
    _flatten(value, shape, 0, flat)
    if data_type == _STRING:
        array = np.empty(len(flat), object)
        array[:] = [_bytes(one) for one in flat]
        return array.reshape(shape)
    dtype = np.dtype(tf.dtypes.as_dtype(data_type).as_numpy_dtype)
    for one in flat:
        _check_number(one, dtype)
    return np.array(flat, dtype).reshape(shape)


def _flatten(value, shape, level, flat):
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in "
                f"the JSON DOM. Expected at level: {len(shape)}"
            )
        flat.append(value)
        return
    if level >= len(shape):
        raise invalid(
            f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for one in value:
        _flatten(one, shape, level + 1, flat)


def _check_number(value, dtype):
    kinds = {"b": bool, "f": (int, float)}.get(dtype.kind, int)
    fits = isinstance(value, kinds) and (dtype.kind == "b") == isinstance(value, bool)
    if fits and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = limits.min <= value <= limits.max
    if not fits:
        raise _type_error(value, dtype.name)
    if dtype.kind == "f" and float(np.finfo(dtype).max) < abs(value) < math.inf:
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to {dtype.name} without loss "
            "of precision."
        )


def _bytes(value) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise invalid("JSON Parse error: a string is no Unicode") from error
    if not _is_base64(value):
        raise _type_error(value, "string")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error


def _type_error(value, name):
    kinds = {dict: "Object", list: "Array", str: "String", type(None): "Null"}
    kinds[bool] = str(value)
    kind = kinds.get(type(value), "Number")
    return invalid(
        f"JSON Value: {shown(value)} Type: {kind} is not of expected type: {name}"
    )


def is_object(value) -> bool:
    """Whether a JSON value is an object, and not bytes written as one."""
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value):
    return (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(value.get("b64"), str)
    )


def shown(value) -> str:
    """A JSON value as messages quote it."""
    return json.dumps(value)


def write_array(array: np.ndarray, name: str):
    """An output as a JSON value; bytes are base64 when its name says that they are."""
    if array.dtype == object:
        return _written_strings(array, name.endswith(_BYTES_SUFFIX)).tolist()
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        # The shortest digits that give the same number back, not those of a double.
        digits = [float(str(one)) for one in array.ravel()]
        array = np.array(digits, float).reshape(array.shape)
    return array.tolist()


def _written_strings(array, as_bytes):
    written = np.empty(array.shape, object)
    for index, one in np.ndenumerate(array):
        encoded = {"b64": base64.b64encode(one).decode()}
        written[index] = encoded if as_bytes else one.decode(errors="replace")
    return written
