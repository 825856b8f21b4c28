"""Arrays to TensorProto and back, against hand-made messages and TensorFlow's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.messages import TensorProto
from serving.tensors import STRING, fill_tensor, read_tensor

NUMBERS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def proto(dtype, shape, **values):
    made = TensorProto(dtype=dtype, **values)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def text(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


@given(
    hnp.arrays(
        st.sampled_from(NUMBERS).map(np.dtype),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
    ),
    st.booleans(),
)
def test_numbers_survive_the_round_trip_bit_by_bit(array, as_content):
    made = TensorProto()
    fill_tensor(made, array, as_content)
    assert bool(made.tensor_content) == (as_content and array.size > 0)
    read = read_tensor(TensorProto.FromString(made.SerializeToString()))
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(read, array)


@given(st.lists(st.binary()))
def test_bytes_survive_the_round_trip(values):
    made = TensorProto()
    fill_tensor(made, text(*values))
    assert read_tensor(made).tolist() == values


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("as_content", [True, False])
def test_tensorflow_reads_and_writes_the_same(dtype, as_content):
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2

    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    made = TensorProto()
    fill_tensor(made, array, as_content)
    theirs = tensor_pb2.TensorProto.FromString(made.SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(theirs), array, strict=True)
    np.testing.assert_array_equal(
        read_tensor(tf.make_tensor_proto(array)), array, strict=True
    )


def test_a_big_endian_array_is_sent_little_endian():
    made = TensorProto()
    fill_tensor(made, np.array([1], ">i4"))
    assert made.tensor_content == b"\1\0\0\0"


def test_the_last_value_stands_for_all_that_are_missing():
    read = read_tensor(proto(1, (2, 2), float_val=[1.0, 2.0]))
    np.testing.assert_array_equal(read, [[1, 2], [2, 2]])
    read = read_tensor(proto(STRING, (3,), string_val=[b"a"]))
    assert read.tolist() == [b"a", b"a", b"a"]


def test_no_value_at_all_stands_for_zeros():
    np.testing.assert_array_equal(read_tensor(proto(3, (2,))), [0, 0])
    assert read_tensor(proto(STRING, (2,))).tolist() == [b"", b""]
    assert read_tensor(proto(1, (0, 5))).shape == (0, 5)


def test_half_values_travel_as_bits():
    # 1.5 in half precision: sign 0, exponent 15, fraction 1000000000.
    made = TensorProto()
    fill_tensor(made, np.array([1.5], np.float16), as_content=False)
    assert list(made.half_val) == [0b0_01111_1000000000]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (proto(1, (2,), tensor_content=b"\0" * 4), "4 bytes do not make <f4"),
        (proto(1, (2,), tensor_content=b"\0" * 12), "12 bytes"),
        (proto(1, (2,), float_val=[1, 2, 3]), "3 values for 2 elements"),
        (proto(1, (-1,)), "not fully known"),
        (proto(0, (1,)), "data type 0 is unknown"),
        (proto(1, (2**20, 2**20), float_val=[1]), "1 values are too few"),
        (proto(STRING, (2**62, 2**62)), "0 values are too few"),
        (proto(STRING, (1,), tensor_content=b"\1a"), "use string_val"),
    ],
)
def test_a_message_that_is_no_tensor_is_refused(made, told):
    with pytest.raises(ValueError, match=told):
        read_tensor(made)


def test_an_unknown_rank_is_refused():
    made = proto(1, ())
    made.tensor_shape.unknown_rank = True
    with pytest.raises(ValueError, match="not fully known"):
        read_tensor(made)


@pytest.mark.parametrize("array", [np.array([b"a\0"]), np.array(["a"]), np.array([1j])])
def test_an_array_without_a_tensorflow_type_is_refused(array):
    with pytest.raises(TypeError, match="cannot be sent"):
        fill_tensor(TensorProto(), array)
