"""TFRecord files written without TensorFlow: framing, checksums, equal bytes."""

import gzip
import io
import struct

from psad_tf.data.examples import encode_list
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.tfrecords import write_records
from psad_tf.feature_sets import MOVIELENS_100K


def test_a_record_is_framed_as_the_format_says():
    file = io.BytesIO()
    assert write_records(file, [b"123456789"]) == 1
    content = gzip.decompress(file.getvalue())
    # CRC32C of "123456789" is 0xE3069283 (RFC 3720's check value); masked by turning
    # it right by 15 bits and adding 0xA282EAD8.
    masked = ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert content[:8] == struct.pack("<Q", 9)
    assert content[12:21] == b"123456789"
    assert content[21:] == struct.pack("<I", masked)


def test_lists_are_read_back(tmp_path, make_list):
    lists = [make_list(request_id="a"), make_list(request_id="b", history=[])]
    path = tmp_path / "lists-00000-of-00001.tfrecord.gz"
    with path.open("wb") as file:
        write_records(file, [encode_list(one, MOVIELENS_100K) for one in lists])
    found = list(read_lists(tmp_path, MOVIELENS_100K))
    assert [one.request_id for one in found] == ["a", "b"]
    assert found[0].candidates == tuple(lists[0].candidates)


def test_no_record_is_an_empty_file_and_equal_records_give_equal_bytes():
    files = [io.BytesIO() for _ in range(3)]
    assert write_records(files[0], []) == 0
    assert gzip.decompress(files[0].getvalue()) == b""
    for file in files[1:]:
        write_records(file, [b"a", b"bc"])
    assert files[1].getvalue() == files[2].getvalue()
