"""Raw files cut into ranges of whole lines, each of which can be read on its own.

Ranges depend on the files' names and sizes alone, so that results do not depend on how
many processes share the work.
"""

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from psad_tf.data.errors import DataError
from psad_tf.data.logs.reader import Reader
from psad_tf.data.logs.tables import Table

RANGE_BYTES = 32 * 2**20
_PACKED = (".gz", ".bz2", ".zst")
# A packed log is about so many times larger than its file.
_UNPACKED = 4


class RawFile(NamedTuple):
    """A raw file: where it is, its name in counts, its bytes on disk."""

    path: str
    name: str
    size: int

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed and so must be read from its beginning."""
        return self.path.endswith(_PACKED)


@dataclass(frozen=True)
class Range:
    """Lines of one raw file: those that begin at `begin` or later, but before `end`.

    Args:
        number: Among all ranges of a run.
        role: The table's role in the `Reader`.
        file: The file.
        begin: First byte.
        end: One past the last byte; -1 for the whole of a packed file.
        header: The table's header line, if it has one.
    """

    number: int
    role: str
    file: RawFile
    begin: int
    end: int
    header: bytes | None


def find_files(raw: str, table: Table) -> list[RawFile]:
    """A table's files, in the order of their names.

    Raises:
        DataError: There is none.
    """
    try:
        (match,) = FileSystems.match([FileSystems.join(raw, "*")])
    except Exception as error:
        raise DataError(
            f"raw={raw}: can't be listed ({error}); name a folder"
        ) from None
    found = {}
    for entry in match.metadata_list:
        name = entry.path.replace("\\", "/").rsplit("/", 1)[1]
        if any(fnmatch.fnmatch(name, pattern) for pattern in table.patterns):
            found[name] = RawFile(entry.path, name, entry.size_in_bytes)
    if not found:
        raise DataError(
            f"{raw}: no file named {' or '.join(table.patterns)} is there; give the "
            f"folder that holds the {table.name} files"
        )
    return [found[name] for name in sorted(found)]


def cut_files(raw: str, reader: Reader, range_bytes: int) -> list[Range]:
    """All files of a data set in ranges: impressions first, each table in file order.

    Raises:
        DataError: A file is missing or empty, or a header lacks a column.
    """
    ranges: list[Range] = []
    for role, table in reader.tables.items():
        files = find_files(raw, table)
        header = _header(files[0], table)
        for file in files:
            step = max(file.size, 1) if file.is_packed else range_bytes
            for begin in range(0, max(file.size, 1), step):
                end = -1 if file.is_packed else min(begin + step, file.size)
                ranges.append(Range(len(ranges), role, file, begin, end, header))
    return ranges


def unpacked_bytes(files: Sequence[RawFile]) -> int:
    """About how large the files are once unpacked."""
    return sum(f.size * (_UNPACKED if f.is_packed else 1) for f in files)


def header_lines(one: Range) -> int:
    """How many lines the range has before its data: 1 if the header is there."""
    if one.begin or one.header is None:
        return 0
    with _open(one.file) as file:
        return int(_skip_header(file, one.header) > 0)


def blocks(one: Range, block_bytes: int) -> Iterator[bytes]:
    """The range's lines in blocks of whole lines, without the header."""
    with _open(one.file) as file:
        if one.begin:
            file.seek(one.begin - 1)
            skipped = len(file.readline()) - 1  # the rest of an earlier range's line
            place = one.begin + skipped
        else:
            place = _skip_header(file, one.header)
        while one.end < 0 or place < one.end:
            size = block_bytes if one.end < 0 else min(block_bytes, one.end - place)
            block = file.read(size)
            if not block:
                return
            if not block.endswith(b"\n"):
                block += file.readline()
            place += len(block)
            yield block


def _skip_header(file: BinaryIO, header: bytes | None) -> int:
    """Passes over the first line if it is the header; returns the place reached."""
    if header is None:
        return 0
    first = file.readline()
    if first.strip() == header.strip():
        return len(first)
    file.seek(0)
    return 0


def _open(file: RawFile) -> BinaryIO:
    kind = CompressionTypes.AUTO if file.is_packed else CompressionTypes.UNCOMPRESSED
    mime = "application/octet-stream"
    return FileSystems.open(file.path, mime_type=mime, compression_type=kind)


def _header(first: RawFile, table: Table) -> bytes | None:
    if not table.parser.has_header:
        return None
    with _open(first) as file:
        header = file.readline()
    if not header.strip():
        raise DataError(f"{first.path}: the file is empty; copy or fetch it again")
    try:
        table.parser.parse(b"", header)
    except DataError as error:
        raise DataError(f"{first.path}: {error}") from None
    return header
