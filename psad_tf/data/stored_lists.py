"""Reads built lists back without TensorFlow, for reports and tests."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from psad_tf.data.errors import DataError
from psad_tf.data.examples import decode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet

_LENGTH = struct.Struct("<Q")
_CHECKSUM_SIZE = 4  # not checked: gzip's own checksum covers the file


def read_lists(split: Path, feature_set: FeatureSet) -> Iterator[RankingList]:
    """The lists of one split, as `build_dataset` wrote them.

    Args:
        split: A folder of gzipped TFRecord files, such as `out/test`.
        feature_set: What the lists were encoded with.

    Raises:
        DataError: The folder holds no such file, or one is damaged.
    """
    paths = sorted(Path(split).glob("*.tfrecord.gz"))
    if not paths:
        raise DataError(f"{split} holds no *.tfrecord.gz; build the data set first")
    for path in paths:
        try:
            with gzip.open(path) as file:
                for record in _records(file):
                    yield decode_list(record, feature_set)
        except (EOFError, gzip.BadGzipFile, struct.error) as error:
            raise DataError(
                f"{path} is damaged ({error}); build the data set again"
            ) from error


def _records(file: BinaryIO) -> Iterator[bytes]:
    """TFRecord: length, its checksum, the record, its checksum."""
    while header := file.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(header)
        file.read(_CHECKSUM_SIZE)
        record = file.read(length)
        if len(record) != length or len(file.read(_CHECKSUM_SIZE)) != _CHECKSUM_SIZE:
            raise EOFError("a record is cut off")
        yield record
