"""The ways a trained model is read out: each gives scores that sort like its order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from psad_tf.bench.evaluate import scores_of_order
from psad_tf.bench.many_seeds import ManySeeds
from psad_tf.bench.trial import BRANCHES, Decoding, Trial
from psad_tf.decoding import whole_order

# `(models, lists on the device) -> float [seeds, lists, list]`
Branch = Callable[[ManySeeds, dict], np.ndarray]
# `(model, inputs) -> scores [batch, list], or an order`
Function = Callable[..., Any]


def branches(trial: Trial, model, evaluator=None) -> dict[str, Branch]:
    """The branches of a trial's model, by name; a baseline's are its readouts.

    Args:
        trial: What was trained.
        model: The model.
        evaluator: The PRM that decodings may ask for; its weights lie beside.
    """
    generated = {d.name for d in trial.decodings} if trial.kind == "psad" else set()
    return {
        name: _branch(name, function, name in generated)
        for name, function in functions(trial, model, evaluator).items()
    }


def functions(trial: Trial, model, evaluator=None) -> dict[str, Function]:
    """What the branches compute, by name: a decoding gives an order, all else scores.

    Args:
        trial, model, evaluator: As for `branches`.
    """
    if trial.kind not in BRANCHES:
        return {name: _readout(name) for name in model.readouts()}
    found = {"student": lambda m, x: m.scorer(x, training=False)}
    if trial.kind == "psad":
        found |= {d.name: _teacher(d, evaluator) for d in trial.decodings}
    return found


def leaders(trial: Trial, names) -> list[str]:
    """The branches that an epoch is judged by."""
    known = ("student", "teacher")
    if trial.kind in BRANCHES:
        return [name for name in names if name in known]
    return list(names)[:1]


def gives_probabilities(trial: Trial, model) -> str | None:
    """The branch whose scores are logits of click probabilities, if there is one."""
    if trial.kind in BRANCHES:
        return "student" if model.config.scorer_loss == "bce" else None
    return next(iter(model.readouts())) if model.gives_probabilities else None


def _branch(name, function, is_order):
    def branch(models, lists):
        found = models.apply(name, function, lists)
        return np.stack([scores_of_order(x) for x in found]) if is_order else found

    return branch


def _readout(name: str) -> Function:
    return lambda model, inputs: model.readouts()[name](inputs)


def _teacher(decoding: Decoding, evaluator) -> Function:
    def value(inputs, order):
        is_discounted = decoding.evaluator == "dcg"
        return evaluator.value(inputs, order, discounted=is_discounted)

    def generate(model, inputs):
        picks = value if decoding.evaluator else None
        width, count = decoding.beam_width, decoding.refine_size
        return whole_order(model, inputs, width, picks, count)

    return generate
