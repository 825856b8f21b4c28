"""Reading TFRecords: files written by TensorFlow, and damaged ones."""

import gzip

import pytest

from psad_tf.data.errors import DataError
from psad_tf.data.examples import decode_list, encode_list
from psad_tf.data.stored_lists import read_lists
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES


def _write(path, records):
    """As the format says: length, checksum, record, checksum."""
    rows = (len(r).to_bytes(8, "little") + b"cccc" + r + b"cccc" for r in records)
    path.write_bytes(gzip.compress(b"".join(rows)))


def test_reads_what_tensorflow_writes(tmp_path, make_list):
    tf = pytest.importorskip("tensorflow", reason="the model extra is not installed")
    encoded = [
        encode_list(make_list(request_id=name), FEATURES) for name in ("a", "b", "c")
    ]
    with tf.io.TFRecordWriter(str(tmp_path / "0.tfrecord.gz"), "GZIP") as writer:
        for example in encoded[:2]:
            writer.write(example)
    _write(tmp_path / "1.tfrecord.gz", encoded[2:])
    expected = [decode_list(example, FEATURES) for example in encoded]
    assert list(read_lists(tmp_path, FEATURES)) == expected


def test_damage_is_named(tmp_path, make_list):
    with pytest.raises(DataError, match="holds no .*; build the data set first"):
        list(read_lists(tmp_path, FEATURES))
    path = tmp_path / "0.tfrecord.gz"
    _write(path, [encode_list(make_list(), FEATURES)])
    whole = gzip.decompress(path.read_bytes())
    damaged = [gzip.compress(whole[:-n]) for n in (1, 5, len(whole) - 3)]
    for content in (*damaged, path.read_bytes()[:-9], b"no gzip"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="0.tfrecord.gz is damaged .*again"):
            list(read_lists(tmp_path, FEATURES))
