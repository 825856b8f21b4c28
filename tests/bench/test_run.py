"""Trials of every kind, run for real on a handful of lists."""

import json

import keras
import numpy as np
import pytest
from tiny_bundle import LISTS

if keras.backend.backend() != "jax":
    pytest.skip("JAX runs this in test_programs_on_jax.py", allow_module_level=True)

from tiny_trials import (
    BUNDLE,
    DECODINGS,
    EPOCHS,
    EVALUATOR,
    PRESET,
    SEEDS,
    TEACHER,
    TRIALS,
    run,
)

from psad_tf import tensors
from psad_tf.bench import pool
from psad_tf.bench import run as module

WAYS = {
    "prm": {"PRM"},
    "psad": {"student", *(d.name for d in DECODINGS)},
    "scorer": {"student"},
    "offline": {"student"},
}
KINDS = sorted(WAYS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_of_every_seed_is_measured(kind):
    found = run(kind)[0].per_list
    assert found.keys() == {
        f"{split}/{way}/{metric}"
        for split in ("validation", "test")
        for way in WAYS[kind]
        for metric in ("ndcg", "map", "utility")
    }
    for name, values in found.items():
        assert values.shape == (len(SEEDS), LISTS[name.split("/")[0]]), name
        assert values.dtype == np.float32 and np.isfinite(values).all()
        assert (values >= 0).all()
        assert name.endswith("utility") or values.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_measured_are_each_seeds_weights_of_its_best_epoch(kind):
    outcome, _ = run(kind)
    leaders = WAYS[kind] & {"student", "teacher", "PRM"}
    assert outcome.curves.keys() == leaders
    for curve in outcome.curves.values():
        assert curve.shape == (len(SEEDS), EPOCHS)
    both = np.mean([*outcome.curves.values()], axis=0)
    np.testing.assert_array_equal(outcome.best_epoch, both.argmax(axis=1) + 1)
    for leader in leaders:
        measured = outcome.per_list[f"validation/{leader}/ndcg"].mean(axis=1)
        best = outcome.best_epoch[:, None] - 1
        at_best = np.take_along_axis(outcome.curves[leader], best, axis=1)[:, 0]
        np.testing.assert_allclose(measured, at_best, atol=1e-6)


def test_an_offline_student_leaves_its_teacher_as_it_was():
    _, models = run("offline")
    (teacher,), (before,) = models.beside, TEACHER
    for mine, its in zip(teacher.state, before, strict=True):
        np.testing.assert_array_equal(mine, its)


def weights_of(kind):
    """The student's trained weights `[seeds, ...]` by their path within the model."""
    models = run(kind)[1]
    values = zip(models.model.variables, models.state, strict=True)
    found = {w.path.partition("/")[2]: np.array(v) for w, v in values if w.trainable}
    return {path: v for path, v in found.items() if path.startswith("scorer/")}


@pytest.mark.parametrize("other", ["scorer", "psad"])
def test_an_offline_student_is_taught_and_has_an_encoder_of_its_own(other):
    """Untaught, the same seed and lists give other weights; its teacher has others."""
    taught, others = weights_of("offline"), weights_of(other)
    assert taught.keys() == others.keys()
    gaps = [np.abs(taught[k] - others[k]).max(axis=-1).max() for k in taught]
    assert max(gaps) > 1e-3


def test_a_run_in_a_process_of_its_own_writes_what_it_found(tmp_path, monkeypatch):
    path, folder, asked = tmp_path / "bundle.npz", tmp_path / "out" / "psad", []

    def noted(trial, bundle, preset, evaluator=None):
        assert bundle.fingerprint == BUNDLE.fingerprint
        asked.append((trial, evaluator))
        return run(trial.kind)

    BUNDLE.save(path)
    monkeypatch.setattr(module, "run_trial", noted)
    preset = {**PRESET, "evaluator": {"training": {"epochs": 1}}}
    pool._run(TRIALS["psad"], path, preset, folder)
    # Its decodings ask for an evaluator, which is trained first, for no measures.
    (judge, nobody), (trial, evaluator) = asked
    assert (judge.kind, judge.options, judge.seeds) == ("prm", EVALUATOR, SEEDS)
    assert judge.splits == () and judge.training == {"epochs": 1} and nobody is None
    assert trial is TRIALS["psad"] and evaluator is run("prm")[1]
    outcome, found = run("psad")[0], np.load(folder / pool.PER_LIST)
    assert {*found.files} == outcome.per_list.keys()
    summary = json.loads((folder / pool.SUMMARY).read_text())
    assert summary["best_epoch"] == outcome.best_epoch.tolist()
    for name, values in outcome.per_list.items():
        np.testing.assert_array_equal(found[name], values)
        np.testing.assert_allclose(summary["means"][name], values.mean(axis=1))


def test_fewer_training_lists_are_the_last_ones(monkeypatch):
    class Enough(Exception):
        pass

    def look(self, lists, *rest):
        last = BUNDLE.splits["train"][tensors.CANDIDATE_IDS][-4:]
        np.testing.assert_array_equal(lists[tensors.CANDIDATE_IDS], last)
        raise Enough

    monkeypatch.setattr(module.ManySeeds, "train", look)
    with pytest.raises(Enough):
        module.run_trial(TRIALS["prm"].of(train_lists=4, seeds=(0,)), BUNDLE, PRESET)
