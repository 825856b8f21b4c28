"""Folders appear whole or not at all, and replace only what is ours."""

import pytest

from psad_tf.data.atomic import atomic_folder
from psad_tf.data.errors import DataError


def _write(target, content="new"):
    with atomic_folder(target, "marker.json") as folder:
        (folder / "marker.json").write_text(content)


def test_appears_at_the_end(tmp_path):
    target = tmp_path / "a" / "out"
    with atomic_folder(target, "marker.json") as folder:
        (folder / "marker.json").write_text("new")
        assert not target.exists()
    assert [p.name for p in target.iterdir()] == ["marker.json"]
    assert [p.name for p in target.parent.iterdir()] == ["out"]


def test_failure_leaves_the_old_one(tmp_path):
    target = tmp_path / "out"
    _write(target, "old")
    with pytest.raises(RuntimeError), atomic_folder(target, "marker.json") as folder:
        (folder / "marker.json").write_text("half")
        raise RuntimeError
    assert (target / "marker.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_earlier_run_and_empty_folder_are_replaced(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    for content in ("first", "second"):
        _write(target, content)
        assert (target / "marker.json").read_text() == content


def test_foreign_content_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(DataError, match="holds no marker.json, .*another folder"):
            _write(target)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
