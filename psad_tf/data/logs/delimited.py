"""The parser of CSV and TSV: a block of lines at once, by column name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from psad_tf.data.errors import DataError
from psad_tf.data.logs.tables import ARROW_TYPES, Bad, Column, Kind, Parsed

_TEXT_KEPT = 200  # characters of an unusable line that are written down
_PATTERNS = {
    Kind.WHOLE: r"^[0-9]{1,18}$",  # fits in int64
    Kind.NUMBER: r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    Kind.FLAG: r"^[01](\.0)?$",
    Kind.TIME: r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$",
}
_HARMLESS = {Kind.TIME: "1970-01-01 00:00:00"}


@dataclass(frozen=True)
class Delimited:
    """Lines of fields between separators; a field has no line end in it.

    Args:
        columns: Those that are read; others are passed over.
        separator: One character.
        header: The columns' names where the files have no header.
        nulls: Fields that count as empty.
        quote: The character around fields that hold a separator; None where quotation
            marks are text like any other.
    """

    columns: tuple[Column, ...]
    separator: str = ","
    header: tuple[str, ...] | None = None
    nulls: tuple[str, ...] = ("", "NULL")
    quote: str | None = None

    @property
    def has_header(self) -> bool:
        return self.header is None

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(c.name, ARROW_TYPES[c.kind]) for c in self.columns])

    def names(self, header: bytes | None) -> list[str]:
        """The names of all columns of a file.

        Raises:
            DataError: A column that is read is not among them.
        """
        if self.header is not None:
            return list(self.header)
        line = header.decode("utf-8-sig", "backslashreplace").rstrip("\r\n")
        names = [
            name.strip(f" {self.quote or ''}") for name in line.split(self.separator)
        ]
        lacking = [c.raw for c in self.columns if c.raw not in names]
        if lacking:
            raise DataError(
                f"the header {line!r} lacks the columns {lacking}; give the file as it "
                f"was published, with {self.separator!r} between columns"
            )
        return names

    def parse(self, block: bytes, header: bytes | None) -> Parsed:
        """See `Parser`. Undecodable bytes are kept as `\\xNN` escapes."""
        names = self.names(header)
        if not block:
            return Parsed(self.schema.empty_table(), 0, [])
        try:
            fields, misshapen = self._fields(block, names)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            if "UTF8" not in str(error) and "utf-8" not in str(error):
                raise
            block = block.decode("utf-8", "backslashreplace").encode()
            fields, misshapen = self._fields(block, names)
        lines = fields.num_rows + len(misshapen)
        # Which line each row comes from.
        places = np.delete(np.arange(lines), [bad.line for bad in misshapen])
        columns, reasons = self._columns(fields)
        rows = pa.table(columns, schema=self.schema)
        if not reasons:
            return Parsed(rows, lines, misshapen)
        is_good = np.ones(rows.num_rows, bool)
        is_good[list(reasons)] = False
        bad = sorted([*misshapen, *_named(block, places, reasons)])
        return Parsed(rows.filter(pa.array(is_good)), lines, bad)

    def _fields(self, block: bytes, names: Sequence[str]) -> tuple[pa.Table, list[Bad]]:
        """The lines with the right number of fields as texts, and the others."""
        misshapen = []

        def note(row: csv.InvalidRow) -> str:
            misshapen.append(
                Bad(row.number - 1, "wrong_columns", row.text[:_TEXT_KEPT])
            )
            return "skip"

        wanted = [column.raw for column in self.columns]
        fields = csv.read_csv(
            pa.BufferReader(block),
            # One block and one thread: else lines are not numbered.
            csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=names
            ),
            csv.ParseOptions(
                delimiter=self.separator,
                quote_char=self.quote or False,
                invalid_row_handler=note,
                ignore_empty_lines=False,
            ),
            csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
            ),
        )
        return fields, misshapen

    def _columns(self, fields: pa.Table) -> tuple[list[pa.Array], dict[int, str]]:
        """Each column's values, and row → reason of those that are at fault."""
        columns, reasons = [], {}
        for column in self.columns:
            values, faults = self._values(column, fields[column.raw].combine_chunks())
            columns.append(values)
            for reason, is_bad in faults.items():
                rows = np.flatnonzero(is_bad.to_numpy(zero_copy_only=False))
                for row in rows.tolist():
                    reasons.setdefault(row, reason)
        return columns, reasons

    def _values(
        self, column: Column, texts: pa.StringArray
    ) -> tuple[pa.Array, dict[str, pa.BooleanArray]]:
        """The column's values (bad ones harmless), and which rows are at fault."""
        faults = {}
        if column.kind is not Kind.TEXT or column.empty is not None:
            is_empty = pc.is_in(texts, pa.array(self.nulls, pa.string()))
            texts = pc.if_else(is_empty, pa.scalar(None, pa.string()), texts)
            if column.empty is None:
                faults[f"empty_{column.name}"] = is_empty
        if column.kind in _PATTERNS:
            is_bad = pc.invert(pc.match_substring_regex(texts, _PATTERNS[column.kind]))
            is_bad = pc.fill_null(is_bad, False)
            harmless = _HARMLESS.get(column.kind, "0")
            texts = pc.if_else(is_bad, harmless, texts)
            values = _cast(column.kind, texts)
            # What looks right may still be no moment (a 31 June), or too large.
            is_bad = pc.or_(is_bad, pc.and_(pc.is_valid(texts), pc.is_null(values)))
            faults[f"bad_{column.name}"] = is_bad
        else:
            values = texts
        empty = "" if column.empty is None else column.empty
        if column.kind in _PATTERNS and column.empty is None:
            empty = 0
        values = pc.fill_null(values, pa.scalar(empty, values.type))
        return values, faults


def _cast(kind: Kind, texts: pa.StringArray) -> pa.Array:
    """Numbers of well-formed texts; null where there is none."""
    if kind is Kind.TIME:
        seconds = pc.utf8_slice_codeunits(texts, 0, 19)
        form = "%Y-%m-%d %H:%M:%S"
        moments = pc.strptime(seconds, form, unit="s", error_is_null=True)
        # A 31 June is read as 1 July.
        is_day = pc.equal(pc.strftime(moments, form), seconds)
        moments = pc.if_else(is_day, moments, pa.scalar(None, moments.type))
        return moments.cast(pa.int64())
    if kind is Kind.FLAG:
        return texts.cast(pa.float64()).cast(pa.int8())
    values = texts.cast(ARROW_TYPES[kind])
    if kind is Kind.NUMBER:
        finite = pc.is_finite(values)
        values = pc.if_else(finite, values, pa.scalar(None, pa.float64()))
    return values


def _named(block: bytes, places: np.ndarray, reasons: Mapping[int, str]) -> list[Bad]:
    """The lines of rows that have a reason."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    begins = np.concatenate([[0], ends + 1])
    ends = np.append(ends, len(block))
    found = []
    for row, reason in reasons.items():
        line = int(places[row])
        text = block[begins[line] : ends[line]].decode("utf-8", "replace")
        found.append(Bad(line, reason, text.rstrip("\r")[:_TEXT_KEPT]))
    return found
