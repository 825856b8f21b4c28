"""Results of `psad bench overall` whose differences are known."""

import numpy as np
from made_up_results import BASE, LISTS, result

from psad_tf.bench.report_run import Run

RUN = Run("psad bench overall", "a GPU", "a host", {"python": "3"}, "today")
# NDCG@10 over the initial order's; MAP@10 and utility follow it.
GAINS = {
    "initial order": 0.0,
    "PRM": 0.03,
    "NAR4Rec": 0.05,
    "PSAD-G": 0.06,
    "PSAD-S": 0.05,
}
WORLD = "click_world"


def overall(gains=GAINS, dataset="movielens_100k", seeds=(0, 1)):
    """A result a method; every second list has 0.01 more under seed 1."""
    return [_row(title, gain, dataset, seeds) for title, gain in gains.items()]


def described(gains=GAINS):
    """What was chosen for each."""
    methods = {
        title: {
            "learning_rate": 0.001,
            "options": {"loss": "softmax", "weight": 0.5},
            "configurations": 12,
            "validation_ndcg": 0.55 + gain,
            "parameters": 12_345,
            "knows_history": True,
            "note": "",
        }
        for title, gain in gains.items()
    }
    if "initial order" in methods:
        methods["initial order"] = {"knows_history": False, "note": "as | it came"}
    return methods


def _row(title, gain, dataset, seeds):
    seeds = () if title == "initial order" else seeds
    noise = 0.01 * np.outer([*seeds] or [0], np.arange(LISTS) % 2)
    ndcg = BASE + gain + noise
    per_list = {"ndcg": ndcg, "map": ndcg - 0.1, "ild": 1 - ndcg, "popularity": ndcg}
    if dataset == WORLD:
        per_list["utility"] = 5 * ndcg
    # PRM alone predicts clicks.
    pooled = {"auc": [0.75, 0.7], "log_loss": [0.5, 0.3]} if title == "PRM" else {}
    return result(
        title,
        seeds=seeds,
        bench="overall",
        topic="overall",
        split="test",
        dataset=dataset,
        per_list=per_list,
        per_run=pooled,
    )
