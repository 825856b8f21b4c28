"""What a raw table holds and how its lines are read: the words readers are written in.

A `Table` names the files and what follows from a block of their lines; a parser turns
the block into columns. `psad_tf.data.logs.delimited` has the parser for CSV and TSV; a
parser of another form is any object with the attributes of `Parser`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import pyarrow as pa

Rejects = Mapping[str, pa.Array]


class Kind(StrEnum):
    """What a field of a line may hold, and what it becomes."""

    TEXT = "text"  # string
    ID = "id"  # string, never empty
    WHOLE = "whole"  # 1 to 18 digits → int64
    NUMBER = "number"  # finite → float64
    FLAG = "flag"  # 0 or 1 → int8
    TIME = "time"  # 2015-05-10 18:11:01.0, UTC → int64 seconds since the epoch


ARROW_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.ID: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.int8(),
    Kind.TIME: pa.int64(),
}


@dataclass(frozen=True)
class Column:
    """One column of a raw table.

    Args:
        raw: Its name in the file's header.
        name: Its name from here on.
        kind: What it holds.
        empty: What an empty field becomes; None makes the line malformed.
    """

    raw: str
    name: str
    kind: Kind
    empty: str | float | None = None


class Bad(NamedTuple):
    """A line that cannot be used; `line` counts the block's lines from 0."""

    line: int
    reason: str
    text: str


class Parsed(NamedTuple):
    """What came of a block of lines.

    Args:
        rows: The accepted rows, in the order of the file.
        lines: How many data lines the block has, accepted or not.
        bad: The others.
    """

    rows: pa.Table
    lines: int
    bad: Sequence[Bad]


class Parser(Protocol):
    """Makes rows of lines.

    Attributes:
        schema: Of the rows.
        has_header: Whether the table's first file begins with a header; later ones
            may repeat it.
    """

    schema: pa.Schema
    has_header: bool

    def parse(self, block: bytes, header: bytes | None) -> Parsed:
        """Reads whole lines; the last one may lack its end.

        An empty block checks the header: `DataError` if it lacks a column.
        """


@dataclass(frozen=True)
class Table:
    """One raw table.

    Args:
        name: What counts and errors call it.
        patterns: Globs of its files in the raw folder, as `raw_sample.csv*`; files
            are taken in the order of their names; `.gz`, `.bz2`, `.zst` are unpacked.
        parser: Reads its lines.
        key: The column it is joined by. Of rows with the same key one is kept: the
            first by its values, whatever the order of the lines.
        derive: Adds columns, a block at a time; its result's schema must not depend on
            the values.
        reject: Reason → which of a block's rows (after `derive`) are set aside.
        missing: Of a table of users: the columns of a user it does not know.
    """

    name: str
    patterns: tuple[str, ...]
    parser: Parser
    key: str = ""
    derive: Callable[[pa.Table], pa.Table] | None = None
    reject: Callable[[pa.Table], Rejects] | None = None
    missing: Mapping[str, str | float] = field(default_factory=dict)

    def schema(self) -> pa.Schema:
        """Of the table's rows after `derive`."""
        empty = self.parser.schema.empty_table()
        return (self.derive(empty) if self.derive else empty).schema
