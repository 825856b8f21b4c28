"""NumPy arrays to and from TensorProto: the official message or the light one alike."""

import math

import numpy as np

STRING = 7
# Elements that nothing was sent for: a few bytes must not make gigabytes in memory.
_MOST_MISSING = 2**16
# DataType → NumPy type, the field of its values, the type those values travel as.
_NUMBERS = {
    1: ("<f4", "float_val", "<f4"),
    2: ("<f8", "double_val", "<f8"),
    3: ("<i4", "int_val", "<i4"),
    4: ("|u1", "int_val", "<i4"),
    5: ("<i2", "int_val", "<i4"),
    6: ("|i1", "int_val", "<i4"),
    9: ("<i8", "int64_val", "<i8"),
    10: ("|b1", "bool_val", "|b1"),
    17: ("<u2", "int_val", "<i4"),
    19: ("<f2", "half_val", "<i4"),
    22: ("<u4", "uint32_val", "<u4"),
    23: ("<u8", "uint64_val", "<u8"),
}
_DATA_TYPE = {np.dtype(row[0]): number for number, row in _NUMBERS.items()}


def fill_tensor(proto, array: np.ndarray, as_content: bool = True) -> None:
    """Writes an array into an empty TensorProto.

    Args:
        proto: The message to fill.
        array: Numbers, booleans, or an object array of bytes (`DT_STRING`). NumPy's own
            `S` type is refused: it drops trailing zero bytes.
        as_content: Numbers as one block of bytes (what a client sends) or as repeated
            values (what TensorFlow Serving answers by default).

    Raises:
        TypeError: No TensorFlow type stands for the array's type.
    """
    array = np.asarray(array)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype == object:
        proto.dtype = STRING
        proto.string_val.extend(array.ravel().tolist())
        return
    number = _DATA_TYPE.get(array.dtype.newbyteorder("<"))
    if number is None:
        raise TypeError(
            f"an array of type {array.dtype} cannot be sent; use a number, a boolean, "
            "or an object array of bytes"
        )
    proto.dtype = number
    _, field, wire_type = _NUMBERS[number]
    if as_content:
        proto.tensor_content = array.astype(array.dtype.newbyteorder("<")).tobytes()
    else:
        values = array.view("<u2") if field == "half_val" else array
        getattr(proto, field).extend(values.astype(wire_type).ravel().tolist())


def read_tensor(proto) -> np.ndarray:
    """The array in a TensorProto; may be read-only.

    Values come as a block of bytes or as repeated values, where the last value stands
    for all that are missing and no value at all for zeros (empty strings).

    Raises:
        ValueError: The type is unknown, or the values do not fit the shape.
    """
    shape = _shape(proto)
    size = math.prod(shape)
    if proto.dtype == STRING:
        return _strings(proto, size).reshape(shape)
    if proto.dtype not in _NUMBERS:
        raise ValueError(f"data type {proto.dtype} is unknown")
    dtype, field, wire_type = _NUMBERS[proto.dtype]
    if proto.tensor_content:
        if len(proto.tensor_content) != size * np.dtype(dtype).itemsize:
            raise ValueError(
                f"{len(proto.tensor_content)} bytes do not make {dtype} of {shape}"
            )
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    repeated = getattr(proto, field)
    values = np.fromiter(repeated, wire_type, len(repeated))
    if field == "half_val":
        values = values.astype("<u2").view("<f2")
    return _fill_up(values.astype(dtype, copy=False), size).reshape(shape)


def _shape(proto):
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise ValueError(f"the shape {shape} is not fully known")
    return shape


def _strings(proto, size):
    if proto.tensor_content:
        raise ValueError("strings in tensor_content are not supported; use string_val")
    values = np.empty(len(proto.string_val), object)
    values[:] = list(proto.string_val)
    return _fill_up(values, size, empty=b"")


def _fill_up(values, size, empty=0):
    """`size` values: those given, then the last of them again and again."""
    if len(values) > size:
        raise ValueError(f"{len(values)} values for {size} elements")
    if len(values) == size:
        return values
    if size - len(values) > _MOST_MISSING:
        raise ValueError(f"{len(values)} values are too few for {size} elements")
    last = values[-1] if len(values) else empty
    full = np.full(size, last, values.dtype)
    full[: len(values)] = values
    return full
