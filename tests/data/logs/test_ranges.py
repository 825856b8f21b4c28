"""Files in ranges: every line once, whatever the cuts, the packing and the parts."""

import bz2
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psad_tf.data.errors import DataError
from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.ranges import blocks, cut_files, header_lines
from psad_tf.data.logs.reader import Reader
from psad_tf.data.logs.tables import Column, Kind, Table
from psad_tf.feature_sets import MOVIELENS_100K

PARSER = Delimited((Column("a", "a", Kind.ID),))
READER = Reader(MOVIELENS_100K, {}, Table("t", ("t.csv*",), PARSER))


def lines_of(folder, range_bytes, block_bytes=1000):
    """File → the lines of its ranges, in their order."""
    found = {}
    for one in cut_files(str(folder), READER, range_bytes):
        for block in blocks(one, block_bytes):
            found.setdefault(one.file.name, []).append(block)
    return {name: b"".join(parts).split(b"\n") for name, parts in found.items()}


LINES = st.lists(st.text("ab,", max_size=9), min_size=1, max_size=12)


@given(LINES, st.integers(1, 40), st.integers(1, 20), st.booleans())
def test_every_line_is_in_one_range(tmp_path_factory, lines, size, block, is_ended):
    folder = tmp_path_factory.mktemp("raw")
    text = "\n".join(["a", *lines]) + ("\n" if is_ended else "")
    (folder / "t.csv").write_text(text)
    expected = text.removeprefix("a\n").encode().split(b"\n")
    found = lines_of(folder, size, block).get("t.csv", [b""])
    assert found == expected


def test_a_blocks_lines_are_whole(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a\n" + b"longer than a block\n" * 50)
    for one in cut_files(str(tmp_path), READER, 64):
        for block in blocks(one, 16):
            assert block.endswith(b"\n")
            assert set(block.splitlines()) == {b"longer than a block"}


def test_parts_packed_and_plain(tmp_path):
    (tmp_path / "t.csv.part1").write_bytes(b"a\n1\n2\n")
    (tmp_path / "t.csv.part2").write_bytes(b"3\n4\n")  # no header of its own
    (tmp_path / "t.csv.part3").write_bytes(b"a\n5\n")  # with one
    (tmp_path / "t.csv.part4.gz").write_bytes(gzip.compress(b"6\n7\n"))
    (tmp_path / "t.csv.part5.bz2").write_bytes(bz2.compress(b"8\n9"))
    (tmp_path / "other.csv").write_bytes(b"x\n")
    found = lines_of(tmp_path, 3, block_bytes=3)
    assert b"".join(b"".join(found[name]) for name in sorted(found)) == b"123456789"
    ranges = cut_files(str(tmp_path), READER, 3)
    heads = {one.file.name: header_lines(one) for one in ranges if not one.begin}
    assert [heads[name] for name in sorted(heads)] == [1, 0, 1, 0, 0]
    assert sum(one.file.is_packed for one in ranges) == 2  # one range each


def test_cuts_follow_from_sizes_alone(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a\n" * 50)
    cuts = [(one.begin, one.end) for one in cut_files(str(tmp_path), READER, 30)]
    assert cuts == [(0, 30), (30, 60), (60, 90), (90, 100)]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file named t.csv\* is there; give the"):
        cut_files(str(tmp_path), READER, 30)
    (tmp_path / "t.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"t.csv: the file is empty"):
        cut_files(str(tmp_path), READER, 30)
    (tmp_path / "t.csv").write_bytes(b"b\n1\n")
    with pytest.raises(DataError, match=r"t.csv: the header 'b' lacks the columns"):
        cut_files(str(tmp_path), READER, 30)
