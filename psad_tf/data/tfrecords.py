"""Writes gzipped TFRecord files without TensorFlow; `stored_lists` reads them."""

import gzip
import struct
from collections.abc import Iterable
from typing import BinaryIO

import google_crc32c

_LEVEL = 4  # three times as fast as the usual 9 for a twentieth more bytes
_MASK = 0xA282EAD8


def write_records(file: BinaryIO, records: Iterable[bytes]) -> int:
    """Writes records to an open file, the same bytes each time; returns how many."""
    count = 0
    with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
        for record in records:
            length = struct.pack("<Q", len(record))
            packed.write(
                b"".join((length, _checksum(length), record, _checksum(record)))
            )
            count += 1
    return count


def _checksum(content: bytes) -> bytes:
    """TFRecord's masked CRC32C."""
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)
