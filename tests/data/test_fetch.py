"""Fetching: a wheel made here stands for the real one; no index is asked."""

import hashlib
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from psad_tf.data import fetch
from psad_tf.data.errors import DataError

CONTENT = {name: f"content of {name}\n".encode() for name in fetch.SHA256}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A cache of its own, hashes of `CONTENT`, and a pip that only we can see."""
    state = SimpleNamespace(cache=tmp_path / "cache", content=dict(CONTENT), calls=[])
    state.missing_pips = 0

    def run(command, **_):
        state.calls.append(command)
        if len(state.calls) <= state.missing_pips:
            return SimpleNamespace(returncode=1, stderr="No module named pip")
        wheel = Path(command[command.index("--dest") + 1], "recbole-1.2.1-any.whl")
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in state.content.items():
                archive.writestr(f"recbole/dataset_example/ml-100k/{name}", content)
        return SimpleNamespace(returncode=0, stderr="")

    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}
    monkeypatch.setattr(fetch, "SHA256", hashes)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(
        fetch.platformdirs, "user_cache_dir", lambda _: str(state.cache)
    )
    return state


def _found(folder):
    return {name: (folder / name).read_bytes() for name in CONTENT}


def test_fetches_once_and_shows_the_terms_once(index, capsys):
    assert _found(fetch.movielens_folder()) == CONTENT
    assert "GroupLens" in capsys.readouterr().err
    assert _found(fetch.movielens_folder()) == CONTENT
    assert capsys.readouterr().err == ""
    assert len(index.calls) == 1
    assert "recbole==1.2.1" in index.calls[0]


def test_nothing_else_stays_in_the_cache(index):
    names = {path.name for path in fetch.movielens_folder().iterdir()}
    assert names == {*CONTENT, "terms-shown.txt"}


@pytest.mark.parametrize("damage", [b"", b"content of", None])
def test_damaged_file_is_fetched_again(index, damage):
    path = fetch.movielens_folder() / "ml-100k.user"
    path.unlink() if damage is None else path.write_bytes(damage)
    assert _found(fetch.movielens_folder()) == CONTENT
    assert len(index.calls) == 2


def test_another_pip_is_tried(index):
    index.missing_pips = 2
    assert _found(fetch.movielens_folder()) == CONTENT
    assert [call[0] for call in index.calls[1:]] == ["python3", "pip"]


def test_no_pip_at_all_names_the_remedy(index):
    index.missing_pips = 9
    with pytest.raises(DataError, match="(?s)No module named pip.*--raw"):
        fetch.movielens_folder()
    assert not any((index.cache / "movielens_100k").glob("ml-100k.*"))


def test_pip_that_is_not_installed_is_named(index, monkeypatch):
    def run(command, **_):
        raise FileNotFoundError(2, "No such file", command[0])

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(DataError, match="(?s)python3 -m pip: .*No such file"):
        fetch.movielens_folder()


def test_other_content_is_refused(index):
    index.content["ml-100k.item"] = b"something else"
    with pytest.raises(DataError, match="ml-100k.item of recbole==1.2.1 has SHA-256"):
        fetch.movielens_folder()
    assert not (index.cache / "movielens_100k" / "ml-100k.item").exists()
