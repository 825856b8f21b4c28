"""What people do with versions: nothing is lost by mistake, no number comes twice."""

import json

import pytest

from psad_tf import cli
from psad_tf.errors import InputError
from tfx_pipeline import model_store, store_versions


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    known = {"dataset": "shop", "validation": {"student_ndcg_at_10": 0.8125}}
    (folder / "assets.extra" / "psad.json").write_text(json.dumps(known))
    return folder


@pytest.fixture
def store(tmp_path, model, monkeypatch):
    """A store of versions 1000, 1001 and 1002; the clock stands still."""
    monkeypatch.setattr(model_store.time, "time", lambda: 1000.0)
    for _ in range(3):
        model_store.publish(model, tmp_path / "store")
    return tmp_path / "store"


def states(store):
    return [(v.number, v.state) for v in store_versions.described(store)]


def test_every_version_is_described_newest_first(store):
    newest, *_ = found = store_versions.described(store)
    assert states(store) == [(1002, "served"), (1001, "kept"), (1000, "kept")]
    assert newest.dataset == "shop" and newest.metrics == {"student_ndcg_at_10": 0.8125}
    assert {v.size for v in found} == {
        sum(p.stat().st_size for p in (store / "1002").rglob("*") if p.is_file())
    }
    with pytest.raises(InputError, match="no such folder"):
        store_versions.described(store / "none")


def test_a_version_without_a_description_is_listed_too(store):
    (store / "1001" / "assets.extra" / "psad.json").unlink()
    assert [v.dataset for v in store_versions.described(store)] == ["shop", "", "shop"]


def test_a_rollback_can_be_undone_and_its_number_is_not_used_again(store, model):
    assert store_versions.roll_back(store) == (1002, 1001)
    assert model_store.versions(store) == [1000, 1001]
    assert states(store)[0] == (1002, "rolled back")
    # What is published next is newer than what was taken away.
    assert model_store.publish(model, store) == 1003
    store_versions.restore(store, 1002)
    assert model_store.versions(store) == [1000, 1001, 1002, 1003]
    with pytest.raises(InputError, match="version 1002 was not rolled back"):
        store_versions.restore(store, 1002)


def test_the_last_version_is_not_taken_away(store):
    store_versions.roll_back(store)
    store_versions.roll_back(store)
    with pytest.raises(InputError, match="none to go back to"):
        store_versions.roll_back(store)
    assert model_store.versions(store) == [1000]


def test_pruning_keeps_the_newest_and_remembers_all_numbers(store, model):
    store_versions.roll_back(store)
    assert store_versions.prune(store, keep=1) == [1000, 1002]
    assert states(store) == [(1001, "served")]
    assert not any("gone" in p.name for p in store.iterdir())
    assert model_store.publish(model, store) == 1003
    assert store_versions.prune(store, keep=5) == []
    with pytest.raises(InputError, match="keep at least 1"):
        store_versions.prune(store, keep=0)
    with pytest.raises(InputError, match="no such folder"):
        store_versions.prune(store / "none", keep=1)


def test_a_prune_that_dies_leaves_no_half_version(store, monkeypatch):
    def die(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(store_versions.shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        store_versions.prune(store, keep=1)
    for version in model_store.versions(store):
        assert (store / str(version) / "assets.extra" / "psad.json").exists()
    assert model_store.last_number(store) == 1002


def test_the_commands(store, capsys):
    def run(*words):
        code = cli.main(["models", *words, "--store", str(store)])
        return code, capsys.readouterr()

    code, printed = run("list")
    assert code == 0 and "1002  served" in printed.out
    assert "student_ndcg_at_10 0.8125" in printed.out
    listed = json.loads(run("list", "--json")[1].out)
    assert [v["number"] for v in listed] == [1002, 1001, 1000]
    _, printed = run("rollback")
    assert "psad models restore 1002" in printed.out
    assert run("restore", "1002")[0] == 0
    assert "deleted: 1000" in run("prune", "--keep", "2")[1].out
    assert "deleted: nothing" in run("prune", "--keep", "2")[1].out
    code, printed = run("restore", "5")
    assert code == cli.BAD_INPUT and "was not rolled back" in printed.err
