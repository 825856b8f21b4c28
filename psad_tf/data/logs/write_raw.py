"""Rows from wherever Beam can read, as raw files that a reader's table reads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.io import WriteToText

from psad_tf.data.errors import DataError

_SEPARATOR = "\t"


class WriteRaw(beam.PTransform):
    """Writes mappings, one a row, as tab separated files with a header each.

    `ReadFromParquet` and `ReadFromBigQuery` give such mappings. A table reads the files
    with `Delimited(columns, separator="\\t")`.

    Args:
        prefix: How the files' paths begin; on any of Beam's file systems.
        columns: What is written, in this order; other entries of a row are left out.
    """

    def __init__(self, prefix: str, columns: Sequence[str]):
        super().__init__()
        self._prefix, self._columns = prefix, tuple(columns)

    def expand(self, rows):
        return (
            rows
            | "Line" >> beam.Map(line_of, self._columns)
            | "Write"
            >> WriteToText(
                self._prefix,
                file_name_suffix=".tsv",
                header=_SEPARATOR.join(self._columns),
            )
        )


def line_of(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """One row's line: None is empty, a flag 1 or 0, a moment UTC to the second.

    Raises:
        DataError: A column is missing, or a value can't stand in a line.
    """
    return _SEPARATOR.join(_text(row, column) for column in columns)


def _text(row: Mapping[str, Any], column: str) -> str:
    if column not in row:
        raise DataError(f"a row has no column {column!r}; it has {sorted(row)}")
    value = row[column]
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC)
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if not isinstance(value, str | int | float):
        raise DataError(
            f"column {column!r}: {value!r} is a {type(value).__name__}; make it a text "
            "or a number before writing"
        )
    text = str(value)
    if any(mark in text for mark in "\t\r\n"):
        raise DataError(
            f"column {column!r}: {value!r} holds a tab or a line end; replace them "
            "before writing"
        )
    return text
