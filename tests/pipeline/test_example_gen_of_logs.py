"""ExampleGen of raw logs: the prepared lists under names that TFX finds."""

import json
import os
from pathlib import Path

import pytest
from tfx.types.standard_artifacts import Examples

from psad_tf.data.errors import DataError
from tfx_pipeline import example_gen


@pytest.fixture
def log(tmp_path):
    """A prepared log with two files a split."""
    folder = tmp_path / "log"
    for split in example_gen.SPLITS:
        (folder / split).mkdir(parents=True)
        for number in range(2):
            name = f"lists-{number:05d}-of-00002.tfrecord.gz"
            (folder / split / name).write_bytes(f"{split} {number}".encode())
    fates = {f"lists/{split}": 3 for split in example_gen.SPLITS}
    (folder / "fates.json").write_text(json.dumps(fates | {"rows/shown/train": 9}))
    return folder


@pytest.fixture
def examples(tmp_path):
    found = Examples()
    found.uri = str(tmp_path / "examples")
    found.split_names = json.dumps(list(example_gen.SPLITS))
    return found


@pytest.mark.parametrize("can_link", [True, False])
def test_lists_are_taken_as_they_are(log, examples, can_link, monkeypatch):
    def refuse(*_):
        raise OSError("not on this file system")

    if not can_link:
        monkeypatch.setattr(os, "link", refuse)
    example_gen._take_lists(log, examples)
    for split in example_gen.SPLITS:
        files = sorted(Path(examples.uri, f"Split-{split}").iterdir())
        assert [file.name for file in files] == [
            "data_tfrecord-00000-of-00002.gz",
            "data_tfrecord-00001-of-00002.gz",
        ]
        assert files[1].read_bytes() == f"{split} 1".encode()
        assert (files[0].stat().st_nlink == 2) == can_link
    counts = json.loads(Path(examples.uri, "counts.json").read_text())
    assert counts["lists/test"] == 3 and counts["rows/shown/train"] == 9


def test_a_split_without_lists_is_refused(tmp_path):
    file = tmp_path / "counts.json"
    file.write_text('{"lists/train": 5, "lists/validation": 0}')
    with pytest.raises(DataError, match="no list for validation and test"):
        example_gen._check_splits(file)
