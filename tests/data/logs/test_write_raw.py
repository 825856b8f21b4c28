"""Rows of a Parquet file, written as raw files and read back by a table's parser."""

from datetime import UTC, datetime, timedelta, timezone

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from psad_tf.data.errors import DataError
from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.tables import Column, Kind
from psad_tf.data.logs.write_raw import WriteRaw, line_of

NOON = datetime(2015, 5, 10, 12, 0, 5, tzinfo=UTC)


def test_parquet_goes_through(tmp_path):
    rows = {
        "who": ["a", "Ünal", ""],
        "when": [NOON, NOON + timedelta(days=1), None],
        "clicked": [True, False, True],
        "price": [1.5, None, 1e-7],
        "unused": [1, 2, 3],
    }
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    names = ("who", "when", "clicked", "price")
    with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
        read = pipeline | beam.io.ReadFromParquet(str(tmp_path / "rows.parquet"))
        read | WriteRaw(str(tmp_path / "rows"), names)
    header, lines = b"", b""
    for path in tmp_path.glob("rows-*.tsv"):
        header, _, rest = path.read_bytes().partition(b"\n")
        lines += rest
    kinds = (Kind.TEXT, Kind.TIME, Kind.FLAG, Kind.NUMBER)
    columns = [Column(n, n, k, 0) for n, k in zip(names, kinds, strict=True)]
    columns[0] = Column("who", "who", Kind.TEXT)
    parsed = Delimited(tuple(columns), separator="\t").parse(lines, header)
    assert parsed.bad == [] and parsed.lines == 3
    found = sorted(tuple(row.values()) for row in parsed.rows.to_pylist())
    noon = int(NOON.timestamp())
    assert found == [
        ("", 0, 1, 1e-7),
        ("a", noon, 1, 1.5),
        ("Ünal", noon + 86400, 0, 0),
    ]


def test_a_moment_is_written_as_utc():
    there = NOON.astimezone(timezone(timedelta(hours=8)))
    assert line_of({"at": there}, ["at"]) == "2015-05-10 12:00:05"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"b": 1}, r"no column 'a'; it has \['b'\]"),
        ({"a": "x\ty"}, "column 'a': 'x\\\\ty' holds a tab"),
        ({"a": [1]}, r"column 'a': \[1\] is a list"),
    ],
)
def test_what_cannot_stand_in_a_line_is_refused(row, told):
    with pytest.raises(DataError, match=told):
        line_of(row, ["a"])
