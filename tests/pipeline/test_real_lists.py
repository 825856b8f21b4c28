"""What the lists of MovieLens-100K say: those that the pipeline's first run made."""

import json

import numpy as np
import pytest

from psad_tf.data.affinity import Affinity
from psad_tf.data.windows import SPLITS

pytestmark = pytest.mark.e2e


def _ndcg_at_10(labels) -> float:
    """2^y - 1 is y for labels 0 and 1."""
    discounts = 1 / np.log2(np.arange(2, 12))
    top, best = labels[:10], sorted(labels, reverse=True)[:10]
    return np.dot(top, discounts[: len(top)]) / np.dot(best, discounts[: len(best)])


def _mean_ndcg(lists, keys_of) -> float:
    """Ranks each list by descending keys; ties keep the input order."""
    values = []
    for one in lists:
        order = np.argsort(-np.asarray(keys_of(one)), kind="stable")
        values.append(_ndcg_at_10(np.array(one.labels)[order]))
    return float(np.mean(values))


def test_every_row_is_read(first_run):
    folder = first_run.components["PrepareLog"].folder("log")
    files = json.loads((folder / "counts.json").read_text())
    assert {file: row["read"] for file, row in files.items()} == {
        "ml-100k.inter": 100_000,
        "ml-100k.user": 943,
        "ml-100k.item": 1682,
    }
    assert not any(row["set_aside"] for row in files.values())


def test_lists_are_in_the_stated_shares(first_run):
    folder = first_run.components["ListExampleGen"].folder("examples")
    found = json.loads((folder / "counts.json").read_text())
    counts = [found[f"lists/{name}"] for name in ("first_stage_period", *SPLITS)]
    assert 7000 < sum(counts) < 8000
    shares = np.array(counts) / sum(counts)
    np.testing.assert_allclose(shares, [0.3, 0.5, 0.1, 0.1], atol=0.02)


def test_first_stage_is_better_than_chance_and_worse_than_all_that_is_known(
    lists,
):
    """Popular opinion as of the list knows months that the first stage has not seen."""
    rng = np.random.default_rng(0)
    test = lists["test"]
    chance = _mean_ndcg(test, lambda one: rng.random(len(one.labels)))
    initial = _mean_ndcg(test, lambda one: [0.0] * len(one.labels))
    known = _mean_ndcg(test, lambda one: [c["mean_rating"] for c in one.candidates])
    assert chance + 0.04 < initial < known


def test_each_affinity_ranks_better_than_chance(lists):
    """Alone, without knowing how well liked an item is."""
    rng = np.random.default_rng(0)
    test = [one for one in lists["test"] if len(one.history) == 50]
    chance = _mean_ndcg(test, lambda one: rng.random(len(one.labels)))
    for name in Affinity.NAMES:
        found = _mean_ndcg(test, lambda one, n=name: [c[n] for c in one.candidates])
        assert found > chance + 0.02, name


def test_initial_order_is_by_initial_score(lists):
    for one in lists["test"]:
        scores = [item["initial_score"] for item in one.candidates]
        assert scores == sorted(scores, reverse=True)


def test_values_stay_in_the_domains_of_the_schema(lists):
    for one in (one for split in SPLITS for one in lists[split]):
        for item in (*one.candidates, *one.history):
            assert 1 <= item["mean_rating"] <= 5
            assert 0 <= item["like_rate"] <= 1
            assert item["year"] == 0 or 1900 < item["year"] < 1999
            assert item["genres"] and item["item_id"]
        for item in one.history:
            assert item["log_hours_ago"] > 0
            assert item["liked"] == (item["rating"] >= 4)
        assert len(one.history) == min(50, one.user["user_rating_count"])
