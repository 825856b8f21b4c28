"""Trials small enough to be run for real, each once a process. Needs JAX."""

from functools import cache
from unittest import mock

import numpy as np
from tiny_bundle import make_bundle

from psad_tf.bench import run as module
from psad_tf.bench.run import run_trial
from psad_tf.bench.trial import Decoding, Trial

SEEDS = (3, 5)
EPOCHS = 2
PRESET = {
    "model": {
        "embedding_dim": 4,
        "hidden_dim": 8,
        "num_layers": 1,
        "slate_length": 2,
        "block_size": 1,
        "interaction": "none",
        "personal_position": False,
        "dropout": 0.1,
    },
    "training": {"epochs": EPOCHS, "batch_size": 4, "learning_rate": 0.02},
}
DECODINGS = (
    Decoding(),
    Decoding("unrefined", refine_size=0),
    Decoding("judged", 3, "dcg"),
)
EVALUATOR = {"loss": "bce", "pretrained": False}
# What the offline student's teacher is, too.
ALONE = {"distillation_weight": 0.0}
TEACHER = []  # the weights of the offline student's teacher, before it taught
BUNDLE = make_bundle(simulated=True)
TRIALS = {
    "prm": Trial("prm", "prm", seeds=SEEDS, options=EVALUATOR),
    "psad": Trial("psad", model=ALONE, decodings=DECODINGS, seeds=SEEDS),
    "scorer": Trial("scorer", "scorer", seeds=SEEDS),
    "offline": Trial("offline", "offline", seeds=SEEDS),
}


@cache
def run(kind: str):
    """A trial's outcome and its models; validation and test lists are measured."""
    trial = TRIALS[kind].of(splits=("validation", "test"))
    evaluator = run("prm")[1] if kind == "psad" else None
    # The offline student's teacher is the `psad` trial: it needs no second training.
    with mock.patch.object(module, "run_trial", _trained_before):
        return run_trial(trial, BUNDLE, PRESET, evaluator)


def _trained_before(trial, bundle, preset, evaluator):
    assert (trial.kind, trial.model, trial.seeds) == ("psad", ALONE, SEEDS)
    outcome, models = run("psad")
    TEACHER.append(models.copy())
    return outcome, models


def one_of(models, index: int):
    """The model with the weights of one seed."""
    for variable, values in zip(models.model.variables, models.state, strict=True):
        variable.assign(np.asarray(values)[index])
    return models.model
