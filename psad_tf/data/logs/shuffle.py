"""The files between stages: Arrow files whose record batches each belong to a bucket.

Beam passes numbers; rows pass through here, so that a stage holds one bucket's rows
and no more. A file is written under another name first: it is there whole or not.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
_PLAIN = {
    "mime_type": "application/octet-stream",
    "compression_type": CompressionTypes.UNCOMPRESSED,
}


def open_to_read(path: str):
    return FileSystems.open(path, **_PLAIN)


def write_whole(path: str, write: Callable) -> None:
    """Lets `write(file)` write a file that appears complete or not at all."""
    new = f"{path}.{uuid.uuid4().hex}"
    with FileSystems.create(new, **_PLAIN) as file:
        write(file)
    FileSystems.rename([new], [path])


@dataclass(frozen=True)
class Shuffle:
    """The files that one stage leaves for another.

    Args:
        folder: Of the files; on any of Beam's file systems.
        name: What the files are called.
        buckets: How many buckets there are.
    """

    folder: str
    name: str
    buckets: int = 1

    def path(self, number: int) -> str:
        return FileSystems.join(self.folder, f"{self.name}-{number:06d}.arrow")

    def write(
        self,
        number: int,
        tables: Iterable[tuple[pa.Table, np.ndarray]],
        schema: pa.Schema,
    ) -> None:
        """Writes what one task of a stage found.

        Args:
            number: The task's.
            tables: Tables, each with `[rows]` int: the bucket of every row.
            schema: Of the tables.
        """

        def write(file) -> None:
            sink = pa.PythonFile(file, "w")
            with pa.ipc.new_file(sink, schema, options=_OPTIONS) as writer:
                for table, bucket in tables:
                    for batch in self._parts(table, bucket):
                        writer.write_batch(batch)

        write_whole(self.path(number), write)

    def _parts(self, table: pa.Table, bucket: np.ndarray) -> Iterator[pa.RecordBatch]:
        """One batch a bucket; rows keep their order."""
        order = np.argsort(bucket, kind="stable")
        bounds = np.searchsorted(bucket[order], np.arange(self.buckets + 1))
        table = table.take(pa.array(order)).combine_chunks()
        for begin, end in zip(bounds, bounds[1:], strict=False):
            batches = table.slice(begin, end - begin).to_batches()
            yield from batches or [pa.RecordBatch.from_pylist([], table.schema)]

    def read(self, bucket: int, numbers: Iterable[int], schema: pa.Schema) -> pa.Table:
        """The rows of one bucket, from the files of all those tasks, in their order."""
        batches = []
        for number in numbers:
            with open_to_read(self.path(number)) as file:
                reader = pa.ipc.open_file(pa.PythonFile(file, "r"))
                for index in range(bucket, reader.num_record_batches, self.buckets):
                    batches.append(reader.get_batch(index))
        return pa.Table.from_batches(batches, schema).combine_chunks()

    def write_one(self, number: int, table: pa.Table) -> None:
        """Writes a table of one bucket."""
        bucket = np.zeros(table.num_rows, np.int64)
        self.write(number, [(table, bucket)], table.schema)
