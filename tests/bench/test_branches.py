"""Each way a model is read out against the model itself, one seed at a time."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("JAX runs this in test_programs_on_jax.py", allow_module_level=True)

from dataclasses import replace

from backend_tools import quick
from tiny_trials import BUNDLE, SEEDS, TRIALS, one_of, run

from psad_tf import metrics, tensors
from psad_tf.bench.branches import branches
from psad_tf.bench.evaluate import order_of_scores
from psad_tf.bench.stacked import on_device
from psad_tf.decoding import beam_search, full_order

LISTS = on_device(BUNDLE.splits["validation"])
INPUTS = {name: LISTS[name] for name in tensors.INPUTS}
IS_VALID = BUNDLE.is_valid("validation")


def judge():
    return run("prm")[1].model


def searched(index, width, evaluator=None, **changes):
    """A seed's order by the search itself: int `[lists, list]`."""
    model = one_of(run("psad")[1], index)
    trained, model.config = model.config, replace(model.config, **changes)

    def search(inputs):
        order, _ = beam_search(model, inputs, width, evaluator)
        is_valid = inputs[tensors.CANDIDATE_IS_VALID]
        return full_order(order, model.scorer(inputs), is_valid)

    found = np.array(quick(search)(INPUTS))
    model.config = trained
    return found


@pytest.mark.parametrize(
    ("name", "width", "changes"),
    [("teacher", 1, {}), ("unrefined", 1, {"refine_size": 0}), ("judged", 3, {})],
)
def test_a_teachers_scores_sort_like_its_order(name, width, changes):
    models = run("psad")[1]
    way = branches(TRIALS["psad"], models.model, judge())[name]
    scores = way(models, LISTS)
    assert scores.shape == (len(SEEDS), *IS_VALID.shape)
    for index in range(len(SEEDS)):
        value = None
        if name == "judged":
            value = one_of(run("prm")[1], index).value
        expected = searched(index, width, value, **changes)
        found = order_of_scores(scores[index], IS_VALID)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.isfinite(scores[index]), IS_VALID)


@pytest.mark.parametrize(("kind", "name"), [("psad", "student"), ("prm", "PRM")])
def test_students_and_prm_are_read_and_measured_by_their_scores(kind, name):
    outcome, models = run(kind)
    found = branches(TRIALS[kind], models.model, judge())[name](models, LISTS)
    for index in range(len(SEEDS)):
        model = one_of(models, index)
        score = model if kind == "prm" else model.scorer
        # A function of its own: JAX would use the other seed's program again.
        expected = quick(lambda x, score=score: score(x))(INPUTS)
        np.testing.assert_allclose(found[index], expected, atol=1e-5)
        ndcg = metrics.ndcg(BUNDLE.label("validation"), expected, IS_VALID, 10)
        measured = outcome.per_list[f"validation/{name}/ndcg"][index]
        np.testing.assert_allclose(measured, ndcg, atol=1e-6)


def test_what_a_trial_has_no_teacher_for_has_none():
    names = {
        kind: [*branches(trial, run(kind)[1].model, judge())]
        for kind, trial in TRIALS.items()
    }
    assert names == {
        "prm": ["PRM"],
        "psad": ["student", "teacher", "unrefined", "judged"],
        "scorer": ["student"],
        "offline": ["student"],
    }
