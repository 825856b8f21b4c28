"""The table of all rerankers, from trials that nobody ran."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import LISTS, make_bundle

from psad_tf import tensors
from psad_tf.bench import overall
from psad_tf.bench.pool import PER_LIST, SUMMARY
from psad_tf.bench.trial import Outcome
from psad_tf.bench.tuning import RATES, methods

METHODS = methods(["psad", "prm", "seq2slate"])
BRANCHES = {
    "psad": ("student", "teacher", "prm_dcg"),
    "prm": ("PRM",),
    "seq2slate": ("Seq2Slate", "Seq2Slate, beam"),
}
# Validation and test NDCG@10: the better readout on one is the worse one on the other.
NDCG = {
    "student": (0.5, 0.6),
    "teacher": (0.4, 0.9),
    "prm_dcg": (0.6, 0.7),
    "PRM": (0.3, 0.3),
    "Seq2Slate": (0.2, 0.1),
    "Seq2Slate, beam": (0.1, 0.2),
}


@pytest.fixture
def bundle():
    """Numbers of candidates are those of the click world: five, the last the score."""
    made = make_bundle(simulated=True)
    random = np.random.default_rng(0)
    splits = {
        split: {
            **values,
            tensors.CANDIDATE_DENSE: random.normal(
                size=(*values[tensors.LABEL].shape, 5)
            ).astype("float32"),
        }
        for split, values in made.splits.items()
    }
    return replace(made, dataset="click_world", splits=splits)


@pytest.fixture
def run(tmp_path):
    """Writes what trials might have found; remembers them."""

    def write(trials):
        write.seen += trials
        return {trial.name: folder(trial) for trial in trials}

    def folder(trial):
        place = tmp_path / trial.name
        place.mkdir(exist_ok=True)
        per_list = {
            f"{split}/{branch}/ndcg": np.full(
                (len(trial.seeds), LISTS[split]), NDCG[branch][split == "test"], "f4"
            )
            for split in trial.splits
            for branch in BRANCHES[trial.kind]
        }
        # The third rate is the best one of the second trial.
        curve = np.linspace(0, 0.1, len(trial.seeds))[:, None] * [1, 1]
        if trial.name.endswith("-1"):
            curve[2, 1] = 0.9
        pooled = {"test/student/auc": np.array([0.7, 0.8])}
        seeds = np.ones(len(trial.seeds), int)
        found = Outcome(trial, per_list, pooled, {"x": curve}, seeds, 99, 1.0)
        np.savez(place / PER_LIST, **per_list)
        (place / SUMMARY).write_text(json.dumps(found.summary()))
        return place

    write.seen = []
    return write


def test_what_the_searches_choose(run):
    chosen = overall.search_all(METHODS, run, usual=0.004, train_lists=8)
    assert chosen.keys() == BRANCHES.keys()
    for name, found in chosen.items():
        assert (found.trial.name, found.ndcg, found.tried) == (f"{name}-1", 0.9, 20)
        assert found.learning_rate == 0.004 * RATES[2]
    assert len(run.seen) == 15 and {t.train_lists for t in run.seen} == {8}


def test_a_search_that_is_not_done_chooses_nothing(run):
    def broken_off(trials):
        folders = run(trials)
        (folders["prm-2"] / SUMMARY).unlink()
        return folders

    chosen = overall.search_all(METHODS, broken_off, usual=0.004)
    assert chosen.keys() == {"psad", "seq2slate"}
    (psad, seq2slate) = overall.finals(METHODS, chosen, [3, 5])
    assert (psad.name, seq2slate.name) == ("psad", "seq2slate")


def test_the_table(bundle, run):
    chosen = overall.search_all(METHODS, run, usual=0.004)
    finals = overall.finals(METHODS, chosen, [3, 5])
    for trial in finals:
        assert (trial.seeds, trial.splits) == ((3, 5), ("validation", "test"))
        assert trial.is_whole and trial.train_lists is None
    lambdamart = {
        f"{split}/lambdamart/ndcg": np.full((2, LISTS[split]), 0.8)
        for split in ("validation", "test")
    }
    rows, known = overall.table(
        bundle, METHODS, chosen, run(finals), lambdamart, [3, 5]
    )
    found = {row.variant: row for row in rows}
    assert [*found] == [
        "initial order",
        "MMR",
        "LambdaMART",
        "PSAD-S",
        "PSAD-G",
        "PRM",
        "Seq2Slate",
    ]
    # Each readout is chosen on validation lists, whatever it is in the test.
    ndcg = {title: row.per_list["ndcg"].mean() for title, row in found.items()}
    expected = {"PSAD-S": 0.6, "PSAD-G": 0.7, "PRM": 0.3, "Seq2Slate": 0.1}
    for title, value in (expected | {"LambdaMART": 0.8}).items():
        assert ndcg[title] == pytest.approx(value), title
        assert found[title].seeds == (3, 5)
    assert found["PSAD-S"].per_run == {"auc": [0.7, 0.8]}
    assert found["PSAD-G"].per_run == {}
    assert known["Seq2Slate"]["note"] == "read out by Seq2Slate"
    assert known["PSAD-G"]["note"] == "read out by prm_dcg"
    assert known["PRM"]["learning_rate"] == 0.004 and known["PRM"]["parameters"] == 99
    assert found["MMR"].seeds == found["initial order"].seeds == ()


def test_mmr_is_tuned_on_validation_lists_and_measured_on_test_lists(bundle):
    rows, known = overall.fixed_rows(bundle)
    tried = known["MMR"]["options"]["trade_off"]
    assert known["MMR"]["configurations"] == 20 and 0 < tried <= 1
    for values, _ in rows.values():
        assert values["ndcg"].shape == (1, LISTS["test"])
        assert {"utility", "ild", "map_relevant"} <= values.keys()
    # With relevance alone it is the order of the first stage's scores.
    relevance, similarity, is_valid = overall._of_mmr(bundle, "test")
    scores = bundle.splits["test"][tensors.CANDIDATE_DENSE][..., 4]
    order = overall.mmr_order(relevance, similarity, is_valid, 1.0)
    for row, real in enumerate(is_valid):
        best = np.argsort(-np.where(real, scores[row], -np.inf))[: real.sum()]
        np.testing.assert_array_equal(order[row][: real.sum()], best)
