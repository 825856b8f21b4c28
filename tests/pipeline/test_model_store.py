"""A version appears whole or not at all, and no number is used twice."""

import os
import time

import pytest

from tfx_pipeline import model_store


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    return folder


def test_a_store_that_does_not_exist_has_no_versions(tmp_path):
    assert model_store.versions(tmp_path / "none") == []


def test_a_published_model_is_complete_and_newest(tmp_path, model):
    store = tmp_path / "store"
    before = int(time.time())
    version = model_store.publish(model, store)
    assert before <= version <= time.time()
    assert model_store.versions(store) == [version]
    published = store / str(version) / "variables" / "variables.index"
    assert published.read_bytes() == b"weights"
    assert [p.name for p in store.iterdir()] == [str(version)]


def test_two_pushes_in_one_second_get_two_numbers(tmp_path, model):
    store = tmp_path / "store"
    numbers = [model_store.publish(model, store) for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_a_number_in_use_by_a_broken_version_is_not_used_again(tmp_path, model):
    store = tmp_path / "store"
    taken = int(time.time()) + 1000
    (store / str(taken)).mkdir(parents=True)
    assert model_store.versions(store) == []
    assert model_store.publish(model, store) == taken + 1


def test_a_push_that_dies_leaves_no_version(tmp_path, model, monkeypatch):
    store = tmp_path / "store"
    first = model_store.publish(model, store)

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(model_store.Path, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        model_store.publish(model, store)
    assert model_store.versions(store) == [first]


def test_a_copy_that_does_not_verify_is_never_seen(tmp_path, model):
    store, seen = tmp_path / "store", []

    def refuse(copy):
        seen.append((copy / "saved_model.pb").read_bytes())
        assert model_store.versions(store) == []
        raise ValueError("bad scores")

    with pytest.raises(ValueError, match="bad scores"):
        model_store.publish(model, store, refuse)
    assert seen == [b"graph"] and list(store.iterdir()) == []


def test_two_pushes_at_once_get_two_numbers(tmp_path, model, monkeypatch):
    """The other one takes the number after this one has looked."""
    store, look, others = tmp_path / "store", model_store.last_number, []

    def slow_look(folder):
        found = look(folder)
        if not others:
            others.append(None)
            others.append(model_store.publish(model, store))
        return found

    monkeypatch.setattr(model_store, "last_number", slow_look)
    monkeypatch.setattr(model_store.time, "time", lambda: 1000.0)
    version = model_store.publish(model, store)
    assert [others[1], version] == model_store.versions(store) == [1000, 1001]


def test_what_a_dead_push_left_is_removed_by_a_later_one(tmp_path, model):
    store = tmp_path / "store"
    old, fresh = store / ".incoming-1-1", store / ".incoming-2-2"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
    long_ago = time.time() - 2 * model_store.ABANDONED_AFTER_SECONDS
    os.utime(old, (long_ago, long_ago))
    model_store.publish(model, store)
    # The fresh one may belong to a push that is still going on.
    assert not old.exists() and fresh.exists()
