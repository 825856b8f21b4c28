"""Measures student and teacher on whole lists, between epochs and after training."""

import time

import keras
import numpy as np
import tensorflow as tf

from psad_tf import metrics, tensors
from psad_tf.decoding import whole_order

VALIDATION_NDCG = "val_ndcg_at_10"
TEACHER_NDCG = "val_teacher_ndcg_at_10"
BOTH_NDCG = "val_both_ndcg_at_10"
MONITORED = {
    "student": VALIDATION_NDCG,
    "teacher": TEACHER_NDCG,
    "both": BOTH_NDCG,
}


def compiled(scorer):
    """The scorer as a graph: input tensors to scores."""
    return of_any_size(lambda inputs: scorer(inputs, training=False))


def compiled_teacher(model, beam_width=None):
    """The generator as a graph: input tensors to scores that give its order.

    Args:
        model: A `PSAD`.
        beam_width: Orders kept; 1 is greedy, None the configuration's.

    Returns:
        `inputs -> float64 [batch, list]`.
    """

    order = of_any_size(lambda inputs: whole_order(model, inputs, beam_width))
    length = model.config.list_length
    return lambda inputs: metrics.order_scores(order(inputs), length)


def of_any_size(function):
    """A function of input tensors as one graph for batches of any size.

    Else the last batch of a pass, the smaller one, would be traced anew. Models have no
    control flow that depends on tensors, so there is none for AutoGraph to rewrite.
    """
    graph = None

    def call(inputs):
        nonlocal graph
        if graph is None:
            any_size = {
                name: tf.TensorSpec([None, *value.shape[1:]], value.dtype)
                for name, value in inputs.items()
            }
            graph = tf.function(function, [any_size], autograph=False)
        return graph(inputs)

    return call


def score_lists(score, dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores every list of a dataset.

    Args:
        score: From `compiled` or `compiled_teacher`; keep it, since each one is traced
            anew.
        dataset: Batches of `(inputs, labels)`.

    Returns:
        labels, scores and validity, each [lists, list length].
    """
    rows = [
        (label.numpy(), np.asarray(score(inputs)), inputs[tensors.CANDIDATE_IS_VALID])
        for inputs, label in dataset
    ]
    labels, scores, is_valid = (
        np.concatenate(column) for column in zip(*rows, strict=True)
    )
    return labels, scores, is_valid.astype(bool)


class RankingEvaluation(keras.callbacks.Callback):
    """Adds the student's validation NDCG@10 and MAP@10 to each epoch's logs.

    Args:
        dataset: Validation lists, batches of `(inputs, labels)`.
        teacher: Adds the teacher's NDCG@10 as well, its mean with the student's, and
            the seconds its greedy generation took.
    """

    def __init__(self, dataset, teacher: bool = False):
        super().__init__()
        self.dataset = dataset.cache()
        self.teacher = teacher

    def on_train_begin(self, logs=None):
        self.score = compiled(self.model.scorer)
        if self.teacher:
            self.generate = compiled_teacher(self.model, beam_width=1)

    def on_epoch_end(self, epoch, logs=None):
        found = score_lists(self.score, self.dataset)
        logs[VALIDATION_NDCG] = float(np.mean(metrics.ndcg(*found, k=10)))
        precision = metrics.average_precision(*found, k=10)
        logs["val_map_at_10"] = float(np.mean(precision))
        if self.teacher:
            began = time.monotonic()
            found = score_lists(self.generate, self.dataset)
            logs["val_teacher_seconds"] = time.monotonic() - began
            logs[TEACHER_NDCG] = float(np.mean(metrics.ndcg(*found, k=10)))
            logs[BOTH_NDCG] = (logs[VALIDATION_NDCG] + logs[TEACHER_NDCG]) / 2
