"""Results whose differences are known."""

from dataclasses import replace

import numpy as np

from psad_tf.bench.report_results import Result

# Below 14, scipy tries every sign pattern, which takes seconds.
LISTS = 20
BASE = np.linspace(0.3, 0.8, LISTS)


def result(variant, gain=0.0, seeds=(0, 1), topic="position", **changes) -> Result:
    """A variant better by `gain` on every list; odd lists vary with the seed."""
    noise = 0.01 * np.outer([*seeds] or [0], np.arange(LISTS) % 2)
    values = {
        "bench": "study",
        "dataset": "movielens_100k",
        "split": "validation",
        "per_list": {
            "student_ndcg": BASE + gain + noise,
            "teacher_ndcg": BASE + 0.1 + gain + noise,
        },
        **changes,
    }
    return Result(topic=topic, variant=variant, seeds=seeds, **values)


STUDY = [
    result("default"),
    result("table", -0.02),
    result("default", topic="loss"),
    result("softmax", 0.03, topic="loss"),
]


def of_kind(bench, results, **changes):
    return [replace(r, bench=bench, **changes) for r in results]


def interaction():
    lists = {"user": np.arange(LISTS), "activity": np.arange(LISTS)}
    results = [result("default"), result("none", -0.05)]
    return of_kind("interaction", results, lists=lists, topic="interaction")


def hyperparameters():
    results = [
        result("default", 0.02, topic="block_size", value=2),
        result("10", -0.01, topic="block_size", value=10),
        result("1", 0.01, topic="block_size", value=1),
    ]
    worth = {"student_utility": np.full((2, LISTS), 1.5)}
    return of_kind("hyperparameters", results, dataset="click_world", per_list=worth)
