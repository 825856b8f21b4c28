"""Reading raw text files line by line, with errors that say what to do."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from psad_tf.data.errors import DataError
from psad_tf.data.quarantine import BadLine, Line, Quarantine

_log = logging.getLogger(__name__)
Record = TypeVar("Record")


def read_lines(path: Path, encoding: str, separator: str, columns: int) -> list[Line]:
    """All lines of a file; undecodable bytes are kept as `\\xNN` escapes.

    Raises:
        DataError: The file is missing or empty, or its last line is cut off.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; give a folder that holds {path.name}"
        ) from error
    if not content.strip():
        raise DataError(f"{path}: the file is empty; copy or fetch it again")
    text = content.decode(encoding, errors="backslashreplace")
    rows = text.split("\n")
    is_ended = rows[-1] == ""
    while rows[-1] in ("", "\r"):  # blank lines after the last record
        rows.pop()
    if not is_ended and rows[-1].count(separator) + 1 < columns:
        raise DataError(
            f"{path}, line {len(rows)}: the file is truncated ({rows[-1]!r} has "
            f"fewer than {columns} columns and no line end); copy or fetch it again"
        )
    if not is_ended:
        _log.warning("%s: no line end after the last line; it is used as is", path)
    return [Line(path.name, n, row.rstrip("\r")) for n, row in enumerate(rows, 1)]


def parse_lines(
    lines: Iterable[Line],
    parse: Callable[[str], Record],
    key: Callable[[Record], object],
    quarantine: Quarantine,
) -> list[Record]:
    """Parses lines, sets aside bad ones and all but one of those with equal keys.

    Of records with the same key the smallest is kept, whatever the order of lines.

    Args:
        lines: The data lines of one file.
        parse: Makes a sortable record of a line's text, or raises `BadLine`.
        key: What must be unique among records.
        quarantine: Takes the lines that are not kept.

    Returns:
        The kept records, sorted.
    """
    parsed = []
    for line in lines:
        try:
            parsed.append((parse(line.text), line))
        except BadLine as bad:
            quarantine.add(line, str(bad))
    parsed.sort()
    kept = {}
    for record, line in parsed:
        if key(record) in kept:
            quarantine.add(line, "duplicate")
        else:
            kept[key(record)] = record
    return list(kept.values())


def split_columns(text: str, separator: str, columns: int) -> list[str]:
    """The line's fields, or `BadLine` if their number is wrong."""
    fields = text.split(separator)
    if len(fields) != columns:
        raise BadLine("wrong_columns")
    return [field.strip() for field in fields]


def whole_number(text: str) -> int:
    """The number, or `BadLine` if the text is not 1 to 18 ASCII digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # fits in int64
        raise BadLine("not_a_number")
    return int(text)
