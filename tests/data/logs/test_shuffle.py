"""Files between stages: every row comes out of its bucket, in order, once."""

import numpy as np
import pyarrow as pa
import pytest

from psad_tf.data.logs.shuffle import Shuffle, write_whole

SCHEMA = pa.schema([("key", pa.int64()), ("text", pa.string())])


def table(first, count):
    keys = list(range(first, first + count))
    return pa.table([keys, [f"t{key}" for key in keys]], SCHEMA)


def test_rows_come_back_by_bucket_in_the_order_of_tasks(tmp_path):
    files = Shuffle(str(tmp_path), "rows", buckets=3)
    # Task 0 writes two tables, task 1 one, task 2 none at all.
    parts = [(table(0, 5), np.arange(5) % 3), (table(5, 4), np.array([2, 2, 0, 2]))]
    files.write(0, parts, SCHEMA)
    files.write(1, [(table(9, 2), np.array([0, 0]))], SCHEMA)
    files.write(2, [], SCHEMA)
    found = [files.read(n, [0, 1, 2], SCHEMA)["key"].to_pylist() for n in range(3)]
    assert found == [[0, 3, 7, 9, 10], [1, 4], [2, 5, 6, 8]]
    assert files.read(0, [1, 0], SCHEMA)["text"].to_pylist()[:2] == ["t9", "t10"]


def test_a_file_is_whole_or_not_there(tmp_path):
    def write(file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(str(tmp_path / "name"), write)
    assert not (tmp_path / "name").exists()
    write_whole(str(tmp_path / "name"), lambda file: file.write(b"all"))
    assert (tmp_path / "name").read_bytes() == b"all"


def test_a_task_that_is_done_again_leaves_the_same_file(tmp_path):
    files = Shuffle(str(tmp_path), "rows", buckets=2)
    for _ in range(2):
        files.write(0, [(table(0, 4), np.array([1, 0, 1, 0]))], SCHEMA)
    assert files.read(1, [0], SCHEMA)["key"].to_pylist() == [0, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["rows-000000.arrow"]
