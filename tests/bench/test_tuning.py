"""The search: the same budget for all, and the best configuration chosen."""

import numpy as np
import pytest

from psad_tf.baselines.registry import RERANKERS, build_reranker
from psad_tf.bench.trial import Trial
from psad_tf.bench.tuning import DROPOUTS, RATES, SEED, choose, methods, searches
from psad_tf.config import PSADConfig

FOUND = {method.name: method for method in methods()}


def settings(trial):
    return {**trial.model, **trial.options}


@pytest.mark.parametrize("name", FOUND)
def test_every_method_has_twenty_different_configurations(name):
    trials = searches(FOUND[name], usual=0.002)
    tried = [(str(settings(t)), rate) for t in trials for rate in t.rates]
    assert len(tried) == len(set(tried)) == 20
    for trial in trials:
        assert trial.rates == (0.0005, 0.001, 0.002, 0.004)
        assert trial.seeds == (SEED,) * len(RATES)
        # Validation NDCG@10 comes with the training; no list is measured.
        assert trial.splits == ()
    # The method as it is comes first; the others differ in what may be tried.
    assert settings(trials[0]) == {}
    known = {"dropout": DROPOUTS, **FOUND[name].search}
    for trial in trials[1:]:
        assert settings(trial).keys() == known.keys()
        assert all(value in known[key] for key, value in settings(trial).items())
    # No value is drawn more often than a fair share, rounded up.
    for key, values in known.items():
        drawn = [settings(trial)[key] for trial in trials[1:]]
        most = max(drawn.count(value) for value in values)
        assert most <= -(-len(drawn) // len(values)), key


def test_all_rerankers_and_psad_are_there():
    assert [*FOUND] == ["psad", *RERANKERS]
    assert [m.name for m in methods(["prm", "psad"])] == ["psad", "prm"]
    titles = [method.title for method in FOUND.values()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", RERANKERS)
def test_what_is_tried_are_arguments_the_model_takes(name):
    from model_cases import tiny

    config = tiny(num_layers=1)
    for argument, values in FOUND[name].search.items():
        for value in values:
            model = build_reranker(name, config, **{argument: value})
            assert model.count_params() > 0


def test_psads_are_fields_of_the_configuration():
    from model_cases import TINY

    for trial in searches(FOUND["psad"], 0.001):
        assert trial.options == {}
        PSADConfig.of(TINY.to_dict() | trial.model)


def test_the_best_epoch_of_the_best_rate_is_chosen():
    trials = [
        Trial(f"prm-{i}", "prm", options={"loss": loss}, seeds=(9, 9), rates=(0.1, 0.2))
        for i, loss in enumerate(("bce", "softmax"))
    ]
    # Two rates, three epochs; the mean of two branches counts, and NaN loses.
    first = {"a": np.array([[0.5, 0.7, 0.6], [0.4, 0.4, 0.4]])}
    second = {
        "a": np.array([[0.9, 0.1, 0.1], [0.6, 0.8, np.nan]]),
        "b": np.array([[0.1, 0.1, 0.9], [0.6, 0.8, 0.9]]),
    }
    second["a"][1, 2] = 0.0
    found = choose(trials, [first, second])
    assert (found.trial, found.learning_rate) == (trials[1], 0.2)
    assert found.ndcg == pytest.approx(0.8) and found.tried == 4
    broken = {"a": np.full((2, 3), np.nan)}
    assert choose(trials, [first, broken]).trial is trials[0]


def test_the_chosen_configuration_is_trained_on_all_lists():
    (trial, *_) = searches(
        FOUND["prm"], 0.002, train_lists=50, training={"epochs": 3, "patience": 2}
    )
    curve = {"PRM": np.array([[0.1], [0.3], [0.2], [0.2]])}
    final = choose([trial], [curve]).final(name="prm", seeds=(0, 1), splits=("test",))
    assert final.training == {"epochs": 3, "patience": 2, "learning_rate": 0.001}
    assert (final.rates, final.train_lists) == (None, None)
    assert (final.seeds, final.splits, final.name) == ((0, 1), ("test",), "prm")
