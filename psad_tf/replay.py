"""Replays a SavedModel's own warm-up requests: what a server does before it serves."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf.errors import InputError
from psad_tf.warmup import WARMUP_FILE
from serving.fault import Fault
from serving.warmup import recorded_requests


def replay(model: Path) -> int:
    """Loads a SavedModel and has it answer every warm-up request.

    Args:
        model: Its folder.

    Returns:
        The requests.

    Raises:
        InputError: It does not load, has no warm-up requests, or an answer is no
            ranking: a score is not a number, or the order is none.
    """
    file = model / WARMUP_FILE
    if not file.is_file():
        raise InputError(f"{model} has no {WARMUP_FILE}; export the model again")
    try:
        loaded = tf.saved_model.load(str(model))
        count = 0
        for request in recorded_requests(file):
            name = request.model_spec.signature_name
            inputs = {k: _constant(t) for k, t in request.inputs.items()}
            _check(name, loaded.signatures[name](**inputs))
            count += 1
    except (OSError, KeyError, tf.errors.OpError, Fault) as error:
        raise InputError(f"{model} does not answer: {error}") from error
    return count


def _constant(proto):
    return tf.constant(tf.make_ndarray(proto))


def _check(signature: str, answer) -> None:
    for name, values in answer.items():
        if not np.isfinite(values.numpy()).all():
            raise InputError(
                f"signature {signature} answers {name} {values.numpy()}, not finite"
            )
    if "order" not in answer:
        return  # no ranking
    for row in answer["order"].numpy():
        placed = row[row >= 0]
        if sorted(placed.tolist()) != list(range(len(placed))):
            raise InputError(
                f"signature {signature} answers order {row}, which is none"
            )
