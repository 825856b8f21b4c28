"""Our `Example` and TensorFlow's are the same bytes."""

import subprocess
import sys

import pytest

from psad_tf.data.messages import Example

CLIENT_MODULES = ("messages", "examples", "ranking_list", "errors")
HEAVY = ("tensorflow", "keras", "tf_keras", "tfx", "apache_beam")


def _example() -> Example:
    example = Example()
    features = example.features.feature
    features["text"].bytes_list.value.extend([b"a", b"", "é".encode()])
    features["number"].float_list.value.extend([1.5, -2.0, 3e38])
    features["whole"].int64_list.value.extend([1, -(2**63), 2**63 - 1])
    features["no_text"].bytes_list.SetInParent()
    features["no_number"].float_list.SetInParent()
    return example


def test_bytes_written_by_hand():
    """One feature "a" with the float 1.0, byte by byte from the wire format."""
    example = Example()
    example.features.feature["a"].float_list.value.append(1.0)
    floats = b"\x0a\x04\x00\x00\x80\x3f"  # FloatList: field 1, packed, 4 bytes
    feature = b"\x12" + bytes([len(floats)]) + floats  # Feature: field 2
    entry = b"\x0a\x01a" + b"\x12" + bytes([len(feature)]) + feature
    features = b"\x0a" + bytes([len(entry)]) + entry
    whole = b"\x0a" + bytes([len(features)]) + features
    assert example.SerializeToString(deterministic=True) == whole


def test_map_order_leaves_no_trace():
    forward, backward = Example(), Example()
    for name in "abcdefgh":
        forward.features.feature[name].float_list.value.append(1.0)
    for name in reversed("abcdefgh"):
        backward.features.feature[name].float_list.value.append(1.0)
    written = [e.SerializeToString(deterministic=True) for e in (forward, backward)]
    assert written[0] == written[1]


def test_tensorflow_reads_and_writes_the_same():
    tf = pytest.importorskip("tensorflow", reason="the model extra is not installed")
    ours = _example().SerializeToString(deterministic=True)
    theirs = tf.train.Example.FromString(ours)
    assert theirs.SerializeToString(deterministic=True) == ours
    assert list(theirs.features.feature["whole"].int64_list.value)[1] == -(2**63)
    assert theirs.features.feature["no_text"].WhichOneof("kind") == "bytes_list"
    assert Example.FromString(theirs.SerializeToString()) == _example()


def test_clients_load_nothing_heavy():
    imports = "; ".join(f"import psad_tf.data.{name}" for name in CLIENT_MODULES)
    code = f"import sys; {imports}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
