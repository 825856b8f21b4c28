"""The peers: rows that exist, worth by hand and by trial of all, a rival kept."""

import itertools
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from tiny_bundle import SIZES, make_bundle
from written_trials import branches_of

from psad_tf import tensors
from psad_tf.baselines import lambdamart
from psad_tf.bench import command, evaluate, peers
from psad_tf.bench.bundle import RELEVANCE
from psad_tf.bench.tuning import SEED
from psad_tf.feature_sets import feature_set

WORLD = make_bundle(simulated=True)
LONG = {"sizes": {**SIZES, "list_length": 24}}
BUNDLES = {
    "real": replace(make_bundle(), **LONG),
    "world": replace(WORLD, **LONG),
    "five candidates": WORLD,
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_every_trial_has_rows_and_the_references_are_among_them(kind):
    found = peers.trials(BUNDLES[kind], (3, 5))
    assert {t.name for t in found} == peers.ROWS.keys()
    rows = []
    for trial in found:
        assert trial.seeds == (3, 5) and trial.splits == ("validation", "test")
        named = [peers.ROWS[trial.name].get(b) for b in branches_of(trial)]
        assert any(named), trial
        rows += [row for row in named if row]
    assert len(rows) == len(set(rows)) and {*command.REFERENCES} <= {*rows}


def test_beams_are_wider_where_true_utility_or_all_orders_can_be_had():
    def widths(kind):
        psad, *_ = peers.trials(BUNDLES[kind], (0,))
        return {d.name: d.beam_width for d in psad.decodings if d.evaluator}

    assert widths("real") == {"prm_dcg": 4, "prm_clicks": 4}
    assert widths("world") == {"prm_dcg": 4, "prm_clicks": 4, "prm_wide": 32}
    # Five candidates have 120 orders.
    assert widths("five candidates") == {"prm_dcg": 8, "prm_clicks": 8, "prm_wide": 64}


def test_the_initial_order_by_hand():
    bundle = make_bundle()
    columns = dict(bundle.splits["test"])
    columns[tensors.CANDIDATE_IS_VALID] = np.array([[1, 1, 1, 0, 0]] * 5)
    columns[tensors.LABEL] = np.array([[0, 1, 1, 0, 0]] * 5, np.float32)
    bundle = replace(bundle, splits={**bundle.splits, "test": columns})
    (rows,) = peers.fixed_rows(bundle, "test").values()
    gains = 1 / np.log2([2, 3, 4])
    ndcg = (gains[1] + gains[2]) / (gains[0] + gains[1])
    np.testing.assert_allclose(rows["ndcg"], [[ndcg] * 5], rtol=1e-6)
    np.testing.assert_allclose(rows["map"], [[(1 / 2 + 2 / 3) / 2] * 5], rtol=1e-6)
    assert rows.keys() == {"ndcg", "map"}


def worth_of_all(bundle, split, row):
    """The expected clicks of every order of one list."""
    count = int(bundle.is_valid(split)[row].sum())
    for order in itertools.permutations(range(count)):
        orders = np.full(bundle.label(split).shape, -1)
        orders[row, :count] = order
        yield evaluate.utility(bundle, split, orders)[row]


def test_the_best_order_is_worth_the_most_of_all():
    found = peers.fixed_rows(WORLD, "test")
    best = found[peers.BEST]["utility"][0]
    expected = [max(worth_of_all(WORLD, "test", row)) for row in range(5)]
    np.testing.assert_allclose(best, expected, rtol=1e-6)
    assert (found[peers.INITIAL]["utility"][0] < best - 1e-3).any()
    assert found[peers.BEST].keys() == {"utility"}


def test_of_long_lists_the_best_order_is_a_search_that_beats_relevance(monkeypatch):
    monkeypatch.setattr(peers, "MOST_FOR_ALL_ORDERS", 4)
    best = peers.best_utility(WORLD, "test")
    scores = WORLD.splits["test"][RELEVANCE]
    by_relevance = evaluate.evaluate(WORLD, "test", scores)["utility"]
    assert (best >= by_relevance - 1e-6).all()
    monkeypatch.undo()
    assert (best <= peers.best_utility(WORLD, "test") + 1e-6).all()


@pytest.fixture
def rival(monkeypatch, tmp_path):
    """Asks for LambdaMART's rows; its training is stood in for, and noted."""
    bundle = replace(WORLD, dataset="click_world")
    scores = {
        split: np.random.default_rng(n).random(bundle.label(split).shape)
        for n, split in enumerate(("validation", "test"))
    }
    trained = mock.create_autospec(lambdamart.train)
    model = trained.return_value

    def found(arrays):
        (split,) = (s for s in scores if bundle.splits[s] is arrays)
        seed = trained.call_args.args[3]
        return scores[split] * (-1) ** seed

    model.chosen.values = {"num_leaves": 7}

    model.scores.side_effect = found
    monkeypatch.setattr(lambdamart, "train", trained)

    def rows(seeds=(0, 1), configurations=20, is_run=True, bundle=bundle):
        given = ("validation", "test"), seeds, configurations
        return peers.lambdamart_rows(bundle, *given, tmp_path / "peers", is_run)

    rows.trained, rows.scores, rows.bundle = trained, scores, bundle
    rows.folder = tmp_path / "peers"
    return rows


def test_lambdamart_is_tuned_once_and_measured_as_all_are(rival):
    found = rival()
    search, *finals = rival.trained.call_args_list
    assert search.args[3:5] == (SEED, 20) and "values" not in search.kwargs
    assert [call.args[3:] for call in finals] == [(0,), (1,)]
    assert all(call.kwargs["values"] == {"num_leaves": 7} for call in finals)
    for sizes, features, splits, *_ in (call.args for call in (search, *finals)):
        assert sizes == {**SIZES, "slate_length": SIZES["list_length"]}
        assert features is feature_set("click_world")
        assert splits is rival.bundle.splits
    for split, scores in rival.scores.items():
        by_seed = [
            evaluate.evaluate(rival.bundle, split, s, is_whole=True)
            for s in (scores, -scores)
        ]
        for metric in by_seed[0]:
            expected = np.stack([values[metric] for values in by_seed])
            name = f"{split}/lambdamart/{metric}"
            np.testing.assert_array_equal(found.pop(name), expected)
    assert not found


def test_lambdamart_is_trained_once_for_the_same_data_seeds_and_budget(rival):
    first, again = rival(), rival(is_run=False)
    assert rival.trained.call_count == 3 and first.keys() == again.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)
    assert len([*rival.folder.iterdir()]) == 1
    other = replace(rival.bundle, eta=0.6)
    for changed in ({"seeds": (0,)}, {"configurations": 2}, {"bundle": other}):
        assert rival(**changed, is_run=False) == {}
        assert rival(**changed)
    assert len([*rival.folder.iterdir()]) == 4
    assert rival.trained.call_count == 3 + 2 + 3 + 3


def test_what_was_broken_off_while_it_was_written_is_made_anew(rival, monkeypatch):
    def half(file, **arrays):
        file.write_bytes(b"PK")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(peers.np, "savez_compressed", half)
        with pytest.raises(KeyboardInterrupt):
            rival()
    assert rival(is_run=False) == {}
    assert rival()
