"""Runs a trial: trains, picks each seed's best epoch, measures list by list."""

import time
from collections.abc import Mapping

import numpy as np

from psad_tf import metrics
from psad_tf.bench.branches import branches, gives_probabilities, leaders
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.evaluate import click_prediction, evaluate
from psad_tf.bench.many_seeds import ManySeeds
from psad_tf.bench.stacked import keep_best, on_device
from psad_tf.bench.stages import make_model, stages
from psad_tf.bench.trial import Outcome, Trial
from psad_tf.config import PSADConfig
from psad_tf.training_config import TrainingConfig


def run_trial(
    trial: Trial, bundle: Bundle, preset: Mapping, evaluator: ManySeeds | None = None
) -> tuple[Outcome, ManySeeds]:
    """Trains and measures.

    The epoch with the best validation NDCG@10, averaged over student and teacher where
    there are both, is chosen for each seed; in stages before the last one, the epoch
    with the lowest validation loss.

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
        bundle = bundle.with_last(trial.train_lists)
    config = PSADConfig.of({**preset["model"], **trial.model, **bundle.sizes})
    training = TrainingConfig(**{**preset["training"], **trial.training})
    lists = {split: on_device(columns) for split, columns in bundle.splits.items()}
    beside = [evaluator] if trial.needs_evaluator else []
    if trial.kind == "offline":
        first = trial.of(kind="psad", model={**trial.model, "distillation_weight": 0.0})
        beside.append(run_trial(first, bundle, preset, evaluator)[1])
    models = ManySeeds(lambda: make_model(trial, config), trial.seeds, beside)
    ways = branches(trial, models.model, evaluator.model if evaluator else None)
    found = stages(trial, models.model, beside[-1].model if beside else None)
    led = {name: ways[name] for name in leaders(trial, ways)}
    for stage in found:
        models.fill(stage.begin(models.model))
        if stage is found[-1]:
            choice = _Choice(models, _ranking(bundle, lists, led), training.patience)
        else:
            choice = _Choice(models, _loss(stage, lists), training.patience)
        models.train(
            lists["train"], training, stage.loss, choice.after_epoch, trial.rates
        )
        models.put(choice.weights)
        curves = {name: np.array(curve).T for name, curve in choice.curves.items()}
    per_list, pooled = _measured(trial, bundle, models, lists, ways)
    return Outcome(
        trial,
        per_list,
        pooled,
        curves,
        choice.epoch,
        models.model.count_params(),
        time.perf_counter() - started,
    ), models


def _measured(trial, bundle, models, lists, ways):
    """`split/branch/metric` to `[seeds, lists]`, and to `[seeds]`."""
    per_list, pooled = {}, {}
    logits = gives_probabilities(trial, models.model)
    for split in trial.splits:
        is_whole = trial.is_whole and split == trial.splits[-1]
        for name, way in ways.items():
            scores = way(models, lists[split])
            rows = [evaluate(bundle, split, s, is_whole) for s in scores]
            for metric in rows[0]:
                values = np.stack([values[metric] for values in rows])
                per_list[f"{split}/{name}/{metric}"] = values
            if is_whole and name == logits:
                rows = [click_prediction(bundle, split, s) for s in scores]
                for metric in rows[0]:
                    values = np.array([values[metric] for values in rows])
                    pooled[f"{split}/{name}/{metric}"] = values
    return per_list, pooled


def _ranking(bundle, lists, ways):
    """Validation NDCG@10 of some branches: name to `[seeds]`, higher is better."""
    label, is_valid = bundle.label("validation"), bundle.is_valid("validation")

    def measure(models):
        return {
            name: [
                metrics.ndcg(label, scores, is_valid, 10).mean()
                for scores in way(models, lists["validation"])
            ]
            for name, way in ways.items()
        }

    return measure


def _loss(stage, lists):
    """A stage's validation loss, negative, so that higher is better."""
    name = f"{stage.name} loss"

    def measure(models):
        each = models.apply(name, stage.loss, lists["validation"], needs_label=True)
        return {name: -each.mean(axis=1)}

    return measure


class _Choice:
    """Each seed's best epoch so far, by the mean of what is measured."""

    def __init__(self, models, measure, patience):
        self.models, self.measure, self.patience = models, measure, patience
        self.curves = {}
        self.weights = None
        self.best = np.full(len(models.seeds), -np.inf)
        self.epoch = np.ones(len(models.seeds), int)

    def after_epoch(self, epoch: int) -> bool:
        """Measures; true when no seed has got better for `patience` epochs."""
        found = self.measure(self.models)
        for name, values in found.items():
            self.curves.setdefault(name, []).append(np.asarray(values))
        now = np.mean([*found.values()], axis=0)
        is_better = now > self.best
        self.weights = keep_best(self.weights, self.models.copy(), is_better)
        self.best = np.where(is_better, now, self.best)
        self.epoch[is_better] = epoch
        return bool(epoch - self.epoch.max() >= self.patience)
