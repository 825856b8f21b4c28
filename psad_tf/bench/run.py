"""Runs a trial: trains, picks each seed's best epoch, measures list by list."""

import time
from collections.abc import Mapping

import numpy as np

from psad_tf import losses, metrics, tensors
from psad_tf.baselines.prm import PRM
from psad_tf.bench.branches import branches
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.evaluate import evaluate
from psad_tf.bench.many_seeds import ManySeeds, keep_best, on_device
from psad_tf.bench.trial import Outcome, Trial
from psad_tf.config import PSADConfig
from psad_tf.model import build_psad
from psad_tf.training_config import TrainingConfig

LEADERS = ("student", "teacher", "prm")  # What an epoch is judged by.


def run_trial(
    trial: Trial, bundle: Bundle, preset: Mapping, evaluator: ManySeeds | None = None
) -> tuple[Outcome, ManySeeds]:
    """Trains and measures.

    The epoch with the best validation NDCG@10, averaged over student and teacher where
    there are both, is chosen for each seed.

    Args:
        trial: What to do.
        bundle: The data.
        preset: `model` and `training`, fields by name.
        evaluator: A PRM trained with `loss="bce"` under the same seeds; for decodings
            that ask for one.

    Returns:
        The outcome, and the models with the chosen weights.
    """
    started = time.perf_counter()
    if trial.train_lists is not None:
        bundle = bundle.first(trial.train_lists)
    config = PSADConfig.of({**preset["model"], **trial.model, **bundle.sizes})
    training = TrainingConfig(**{**preset["training"], **trial.training})
    lists = {split: on_device(columns) for split, columns in bundle.splits.items()}
    beside = [evaluator] if trial.needs_evaluator else []
    if trial.kind == "offline":
        first = trial.of(kind="psad", model={**trial.model, "distillation_weight": 0.0})
        beside.append(run_trial(first, bundle, preset, evaluator)[1])
    models = ManySeeds(
        lambda: _make(trial, config),
        trial.seeds,
        _loss(trial, beside[-1].model if trial.kind == "offline" else None),
        beside,
    )
    ways = branches(trial, evaluator.model if evaluator else None)
    leaders = {name: way for name, way in ways.items() if name in LEADERS}
    choice = _Choice(models, bundle, lists["validation"], leaders, training.patience)
    models.train(lists["train"], training, choice.after_epoch)
    models.put(choice.weights)
    per_list = {}
    for split in trial.splits:
        for name, way in ways.items():
            found = [evaluate(bundle, split, s) for s in way(models, lists[split])]
            for metric in found[0]:
                values = np.stack([values[metric] for values in found])
                per_list[f"{split}/{name}/{metric}"] = values
    curves = {name: np.array(curve).T for name, curve in choice.curves.items()}
    seconds = time.perf_counter() - started
    return Outcome(trial, per_list, curves, choice.epoch, seconds), models


class _Choice:
    """Each seed's best epoch so far."""

    def __init__(self, models, bundle, lists, leaders, patience):
        self.models, self.lists, self.leaders = models, lists, leaders
        self.label = bundle.label("validation")
        self.is_valid = bundle.is_valid("validation")
        self.patience = patience
        self.curves = {name: [] for name in leaders}
        self.weights = None
        self.best = np.full(len(models.seeds), -np.inf)
        self.epoch = np.zeros(len(models.seeds), int)

    def after_epoch(self, epoch: int) -> bool:
        """Measures; true when no seed has got better for `patience` epochs."""
        for name, way in self.leaders.items():
            found = [
                metrics.ndcg(self.label, scores, self.is_valid, 10).mean()
                for scores in way(self.models, self.lists)
            ]
            self.curves[name].append(found)
        now = np.mean([curve[-1] for curve in self.curves.values()], axis=0)
        is_better = now > self.best
        self.weights = keep_best(self.weights, self.models.copy(), is_better)
        self.best = np.maximum(self.best, now)
        self.epoch[is_better] = epoch
        return bool(epoch - self.epoch.max() >= self.patience)


def _make(trial: Trial, config: PSADConfig):
    if trial.kind != "prm":
        return build_psad(config)
    model = PRM(config, loss=trial.loss, history=trial.history)
    model.build()
    return model


def _loss(trial: Trial, teacher):
    """`(model, inputs, label, training) -> float32 [batch]` of a trial's kind."""

    def prm(model, inputs, label, training):
        scores = model(inputs, training=training)
        is_valid = inputs[tensors.CANDIDATE_IS_VALID]
        return losses.scorer_loss(scores, label, is_valid, model.loss_kind)

    def scorer(model, inputs, label, training):
        c, is_valid = model.config, inputs[tensors.CANDIDATE_IS_VALID]
        scores = model.scorer(inputs, training=training)
        return losses.scorer_loss(
            scores, label, is_valid, c.scorer_loss, c.loss_reduction
        )

    def psad(model, inputs, label, training):
        outputs = model(inputs, training=training)
        is_valid = inputs[tensors.CANDIDATE_IS_VALID]
        return model.joint_loss(label, is_valid, outputs, training)["loss"]

    def offline(model, inputs, label, training):
        c, is_valid = model.config, inputs[tensors.CANDIDATE_IS_VALID]
        outputs = teacher(inputs, training=False)
        # Nothing is drawn: the target order is clicked first, and dropout is off.
        _, logits, remains = teacher.teach(label, is_valid, outputs, training=False)
        taught = losses.teacher_scores(logits, remains, c.distill_from)
        scores = model.scorer(inputs, training=training)
        return losses.scorer_loss(
            scores, label, is_valid, c.scorer_loss, c.loss_reduction
        ) + c.distillation_weight * losses.distillation_loss(
            taught, scores, is_valid, c.temperature, c.distill_from
        )

    return {"prm": prm, "scorer": scorer, "psad": psad, "offline": offline}[trial.kind]
