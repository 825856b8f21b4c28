"""The pool: what is done stays done; what failed is told. Trials are stood in for."""

import json
import multiprocessing
import os

import numpy as np
import pytest
from tiny_bundle import make_bundle

from psad_tf.bench import pool
from psad_tf.bench.trial import Decoding, Trial

PRESET = {"model": {"dropout": 0.1}, "training": {"epochs": 2}}
TRIALS = [
    Trial("good", model={"hidden_dim": 8}),
    Trial("other", decodings=(Decoding("beam", 4, refine_size=0),)),
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


def test_workers_are_dealt_out_to_the_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    assert pool.gpus() == ["1", "3"]
    taken, given = multiprocessing.Value("i", 0), []
    for _ in range(3):
        pool._take_gpu(taken, ["1", "3"])
        given.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert given == ["1", "3", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert pool.gpus() == []
    pool._take_gpu(taken, [])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_gpus_are_those_the_driver_lists(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert pool.gpus() == ["0", "1"]
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pool.gpus() == []


def test_the_judge_of_beams_is_trained_on_no_more_than_the_trial(monkeypatch):
    preset = {"evaluator": {"training": {"epochs": 6}}}
    trial = TRIALS[0].of(seeds=(4,), train_lists=7, training={"epochs": 2})
    judge = pool._judge(trial, preset)
    assert (judge.kind, judge.seeds, judge.splits) == ("prm", (4,), ())
    assert judge.options == {"loss": "bce", "pretrained": False}
    assert (judge.train_lists, judge.training) == (7, {"epochs": 2})
    assert pool._judge(TRIALS[0], preset).training == {"epochs": 6}
