"""Where lines that cannot be used go: counted by reason and written down."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from psad_tf.data.errors import DataError


class Line(NamedTuple):
    """One line of a raw file; `number` starts at 1."""

    file: str
    number: int
    text: str


class BadLine(Exception):
    """Raised by a parser for a line it cannot use; the argument is the reason."""


@dataclass(frozen=True)
class _Entry:
    line: Line
    reason: str


class Quarantine:
    """Collects unusable lines; `check` stops the run when they are too many.

    Args:
        max_bad_share: The largest accepted share of bad lines in any one file.
    """

    def __init__(self, max_bad_share: float = 0.01):
        if not 0 <= max_bad_share <= 1:
            raise DataError(f"max_bad_share={max_bad_share}; give a share from 0 to 1")
        self.max_bad_share = max_bad_share
        self._entries: list[_Entry] = []

    def add(self, line: Line, reason: str) -> None:
        self._entries.append(_Entry(line, reason))

    def counts(self, file: str) -> Counter[str]:
        """Reason → number of lines of this file."""
        return Counter(e.reason for e in self._entries if e.line.file == file)

    def check(self, file: str, rows_read: int) -> None:
        """Raises `DataError` if more than the accepted share of a file is bad."""
        bad = [e for e in self._entries if e.line.file == file]
        if len(bad) > self.max_bad_share * rows_read:
            first = min(bad, key=lambda e: e.line.number)
            raise DataError(
                f"{file}: {len(bad)} of {rows_read} lines are unusable "
                f"({dict(self.counts(file))}), more than max_bad_share="
                f"{self.max_bad_share}; the first is line {first.line.number} "
                f"({first.reason}): {first.line.text!r}. Repair the file, or raise the "
                "accepted share"
            )

    def write(self, path: Path) -> None:
        """Writes file, line number, reason and text (JSON) as tab separated values."""
        rows = sorted(self._rows())
        lines = ["file\tline\treason\ttext", *("\t".join(map(str, r)) for r in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _rows(self) -> Iterator[tuple[str, int, str, str]]:
        for entry in self._entries:
            text = json.dumps(entry.line.text)
            yield entry.line.file, entry.line.number, entry.reason, text
