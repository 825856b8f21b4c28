"""The rival's training: by what it must find."""

import numpy as np
import pytest
from lambdamart_lists import CONFIG, FEATURES, many_lists, one_list

from psad_tf import metrics
from psad_tf.baselines import lambdamart
from psad_tf.baselines import lambdamart_search as search


def trained(seed=0, **options):
    splits = {"train": many_lists(300), "validation": many_lists(100, seed=1)}
    return lambdamart.train(CONFIG, FEATURES, splits, seed=seed, trials=2, **options)


def test_it_finds_what_the_clicks_depend_on():
    ranker, test = trained(), many_lists(200, seed=2)
    is_valid = test["candidate_is_valid"].astype(bool)
    has_click = test["label"].any(axis=1)

    found = metrics.ndcg(test["label"], ranker.scores(test), is_valid, 10)

    assert found[has_click].mean() > 0.99
    used = dict(
        zip(
            ranker.booster.feature_name(),
            ranker.booster.feature_importance("gain"),
            strict=True,
        )
    )
    assert max(used, key=used.get).endswith("share_tags")


def test_the_best_configuration_is_taken_and_the_same_seed_finds_it_again():
    first, again = trained(), trained()
    test = many_lists(50, seed=2)

    assert first.chosen in first.tried
    assert first.chosen.ndcg == max(t.ndcg for t in first.tried)
    assert (first.scores(test) == again.scores(test)).all()


def test_a_search_on_some_lists_ends_with_a_training_on_all(monkeypatch):
    seen = []

    class Noted(lambdamart.Trainer):
        def __init__(self, training, *arguments):
            seen.append(len(training.label))
            super().__init__(training, *arguments)

    monkeypatch.setattr(lambdamart, "Trainer", Noted)
    ranker = trained(search_lists=100)

    assert seen == [100, 300]
    assert ranker.chosen.values in [t.values for t in ranker.tried]


def test_a_configuration_found_before_is_trained_as_it_is(monkeypatch):
    found = trained()
    monkeypatch.setattr(lambdamart, "draw", None)
    again = trained(values=found.chosen.values)
    assert again.tried == [] and again.chosen == found.chosen
    test = many_lists(50, seed=2)
    assert (found.scores(test) == again.scores(test)).all()


def test_a_configuration_is_judged_by_ndcg_as_we_measure_it(monkeypatch):
    monkeypatch.setattr(search, "WINDOW", 1)
    ranker, validation = trained(), many_lists(100, seed=1)
    is_valid = validation["candidate_is_valid"].astype(bool)
    scores = ranker.scores(validation)

    # Lists without a click are among them.
    assert not validation["label"].any(axis=1).all()
    found = metrics.ndcg(validation["label"], scores, is_valid, 10)
    assert ranker.chosen.ndcg == pytest.approx(found.mean())
    assert ranker.booster.num_trees() == ranker.chosen.rounds


def test_smoothing_takes_the_mean_of_what_is_there():
    curve = [3.0, 1.0] + [0.0] * 20 + [9.0]

    found = search.smoothed(curve)

    # Six values begin the curve's first window, eleven are in the middle ones.
    assert found[[0, 1]] == pytest.approx([4 / 6, 4 / 7])
    assert found[[5, 6, 7]] == pytest.approx([4 / 11, 1 / 11, 0])
    assert found[-1] == pytest.approx(9 / 6)
    assert len(found) == len(curve)


def test_unbiased_looks_past_what_a_place_does_to_clicks():
    examined = np.array([1, 0.3, 0.1])
    splits = {"train": many_lists(600), "validation": many_lists(200, seed=1)}
    for i, arrays in enumerate(splits.values()):
        draws = np.random.default_rng(i).random(arrays["label"].shape)
        arrays["label"] = arrays["label"] * (draws < examined)
    test = many_lists(400, seed=2)
    is_valid = test["candidate_is_valid"].astype(bool)

    def true_ndcg(unbiased):
        ranker = lambdamart.train(CONFIG, FEATURES, splits, trials=1, unbiased=unbiased)
        return metrics.ndcg(test["label"], ranker.scores(test), is_valid, 10).mean()

    assert true_ndcg(unbiased=True) >= true_ndcg(unbiased=False) + 0.001


def test_padding_comes_last():
    arrays = one_list()

    found = trained().scores(arrays)

    assert found.dtype == np.float32
    assert np.isfinite(found[0, :2]).all() and found[0, 2] == -np.inf


def test_what_a_configuration_leaves_out_is_not_used(monkeypatch):
    everything = {"without": ("ids", "rates")}
    monkeypatch.setattr(lambdamart, "draw", lambda random, trials: [everything])

    booster = trained().booster

    gains = zip(booster.feature_name(), booster.feature_importance("gain"), strict=True)
    used = {name.partition("/")[0] for name, gain in gains if gain > 0}
    assert used == {"numbers"}


def test_draws_begin_with_the_defaults_and_follow_the_seed():
    first, again = (list(search.draw(np.random.default_rng(3), 20)) for _ in range(2))

    assert first[0] == {"without": ()}
    assert len(first) == 20 and first == again
    assert len({str(values) for values in first}) == 20


@pytest.mark.parametrize("name", ["trials", "search_lists"])
def test_a_budget_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}=0"):
        lambdamart.train(CONFIG, FEATURES, {}, **{name: 0})
