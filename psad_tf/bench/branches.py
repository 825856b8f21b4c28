"""The ways a trained model is read out: each gives scores that sort like its order."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from psad_tf import tensors
from psad_tf.bench.evaluate import scores_of_order
from psad_tf.bench.many_seeds import ManySeeds
from psad_tf.bench.trial import Decoding, Trial
from psad_tf.decoding import beam_search, full_order

# `(models, lists on the device) -> float [seeds, lists, list]`
Branch = Callable[[ManySeeds, dict], np.ndarray]


def branches(trial: Trial, evaluator=None) -> dict[str, Branch]:
    """The branches of a trial's model, by name.

    Args:
        trial: What was trained.
        evaluator: The PRM that decodings may ask for; its weights lie beside.
    """
    if trial.kind == "prm":
        return {"prm": _prm}
    found = {"student": _student}
    if trial.kind == "psad":
        found |= {d.name: _teacher(d, evaluator) for d in trial.decodings}
    return found


def _prm(models, lists):
    return models.apply("prm", lambda m, x: m(x, training=False), lists)


def _student(models, lists):
    return models.apply("student", lambda m, x: m.scorer(x, training=False), lists)


def _teacher(decoding: Decoding, evaluator) -> Branch:
    def value(inputs, order):
        is_discounted = decoding.evaluator == "dcg"
        return evaluator.value(inputs, order, discounted=is_discounted)

    def generate(model, inputs):
        trained = model.config
        model.config = replace(trained, **decoding.changes)
        picks = value if decoding.evaluator else None
        order, _ = beam_search(model, inputs, decoding.beam_width, picks)
        model.config = trained
        scores = model.scorer(inputs, training=False)
        return full_order(order, scores, inputs[tensors.CANDIDATE_IS_VALID])

    def branch(models, lists):
        orders = models.apply(decoding.name, generate, lists)
        return np.stack([scores_of_order(order) for order in orders])

    return branch
