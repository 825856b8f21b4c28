"""What a trial trains: the model, and the losses of its stages one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

from psad_tf import losses, tensors
from psad_tf.baselines.registry import build_reranker
from psad_tf.bench.trial import BRANCHES, Trial
from psad_tf.config import PSADConfig
from psad_tf.model import build_psad

# `(model, inputs, label, training) -> float32 [batch]`
Loss = Callable


@dataclass(frozen=True)
class Stage:
    """A training of its own.

    Args:
        name: Of the stage.
        loss: The loss of each list.
        begin: Given the model, makes the stage's layers those that are trained, and
            gives pairs of layers, to fill and from where.
    """

    name: str
    loss: Loss
    begin: Callable = lambda model: []


def make_model(trial: Trial, config: PSADConfig):
    """The trial's model, with its weights made."""
    if trial.kind in BRANCHES:
        return build_psad(config)
    return build_reranker(trial.kind, config, **trial.options)


def stages(trial: Trial, model, teacher=None) -> list[Stage]:
    """The stages of a trial, in order; the last one makes the model what it is.

    Args:
        trial: What to do.
        model: From `make_model`.
        teacher: A trained PSAD, of the kind `offline`.
    """
    if trial.kind not in BRANCHES:
        return [_stage(name) for name in model.stages]
    loss = {"psad": _joint, "scorer": _scorer}.get(trial.kind) or _taught_by(teacher)
    return [Stage(trial.kind, loss)]


def _stage(name):
    def loss(model, inputs, label, training):
        return model.list_loss(inputs, label, training, name)

    def begin(model):
        model.begin(name)
        return model.copies(name)

    return Stage(name, loss, begin)


def _joint(model, inputs, label, training):
    outputs = model(inputs, training=training)
    is_valid = inputs[tensors.CANDIDATE_IS_VALID]
    return model.joint_loss(label, is_valid, outputs, training)["loss"]


def _scorer(model, inputs, label, training):
    c, is_valid = model.config, inputs[tensors.CANDIDATE_IS_VALID]
    scores = model.scorer(inputs, training=training)
    return losses.scorer_loss(scores, label, is_valid, c.scorer_loss, c.loss_reduction)


def _taught_by(teacher):
    def loss(model, inputs, label, training):
        c, is_valid = model.config, inputs[tensors.CANDIDATE_IS_VALID]
        scores = model.scorer(inputs, training=training)
        # The order comes from this student, as it does where both train at once.
        order = model.target_order(label, is_valid, scores, training)
        states = teacher(inputs, training=False)["states"]
        logits, remains = teacher.teach(order, is_valid, states)
        taught = losses.teacher_scores(logits, remains, c.distill_from)
        return losses.scorer_loss(
            scores, label, is_valid, c.scorer_loss, c.loss_reduction
        ) + c.distillation_weight * losses.distillation_loss(
            taught, scores, is_valid, c.temperature, c.distill_from
        )

    return loss
