"""The pool: what is done stays done; what failed is told. Trials are stood in for."""

import json

import numpy as np
import pytest
from tiny_bundle import make_bundle

from psad_tf.bench import pool
from psad_tf.bench.trial import Decoding, Trial

PRESET = {"model": {"dropout": 0.1}, "training": {"epochs": 2}}
TRIALS = [
    Trial("good", model={"hidden_dim": 8}),
    Trial("other", decodings=(Decoding("beam", 4, changes={"refine_size": 0}),)),
]


def stand_in(trial, path, preset, folder):
    """In place of `pool._run`: says which trial it was, or fails."""
    if trial.model.get("fails"):
        raise ArithmeticError(f"{trial.name} cannot be trained")
    folder.mkdir(parents=True)
    summary = {"name": trial.name, "epochs": preset["training"]["epochs"]}
    (folder / pool.SUMMARY).write_text(json.dumps(summary))
    with open(path.parent / "ran", "a") as log:
        log.write(f"{trial.name}\n")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Runs trials; returns their folders, and the names of those that really ran."""
    monkeypatch.setattr(pool, "_run", stand_in)
    path, log = tmp_path / "bundle.npz", tmp_path / "ran"
    make_bundle().save(path)

    def run(trials, preset=PRESET):
        log.write_text("")
        folders = pool.run_all(trials, path, preset, tmp_path / "out")
        return folders, sorted(log.read_text().split())

    run.path, run.log, run.out = path, log, tmp_path / "out"
    return run


def test_only_what_is_left_is_run(bench):
    folders, ran = bench(TRIALS[:1])
    assert ran == ["good"]
    again, ran = bench(TRIALS)
    assert ran == ["other"]
    assert again["good"] == folders["good"]
    for name, folder in again.items():
        assert json.loads((folder / pool.SUMMARY).read_text())["name"] == name
    assert bench(TRIALS) == (again, [])


def test_what_a_result_depends_on_names_its_folder(bench, monkeypatch):
    trial = TRIALS[0]
    seen = {str(bench([trial])[0]["good"])}
    changed = {"model": {"dropout": 0.2}, "training": {"epochs": 2}}
    seen.add(str(bench([trial], changed)[0]["good"]))
    seen.add(str(bench([trial.of(seeds=(7,))])[0]["good"]))
    monkeypatch.setattr(pool, "__version__", "next")
    seen.add(str(bench([trial])[0]["good"]))
    data = dict(np.load(bench.path))
    data["test/label"] = 1 - data["test/label"]
    np.savez_compressed(bench.path, **data)
    seen.add(str(bench([trial])[0]["good"]))
    assert len(seen) == 5


def test_a_failure_is_raised_once_the_others_are_done(bench, capsys):
    bad = Trial("bad", model={"fails": True})
    with pytest.raises(ArithmeticError, match="bad cannot be trained"):
        bench([bad, *TRIALS])
    assert sorted(bench.log.read_text().split()) == ["good", "other"]
    assert "bad failed: ArithmeticError" in capsys.readouterr().out
    # What was done is kept; the failed one is tried again.
    with pytest.raises(ArithmeticError):
        bench([bad, *TRIALS])
    assert bench.log.read_text() == ""
    assert not [f for f in bench.out.iterdir() if f.name.startswith("bad")]
