"""A SavedModel as clients know it: its signature, with faults told and not raised."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

SIGNATURE = "serving_default"
TIMES = 3


class ModelFault(Exception):
    """A model cannot be asked; the message says what is wrong with it."""


class Signature:
    """`serving_default` of a SavedModel in this process.

    Args:
        path: The model's folder.

    Raises:
        ModelFault: It does not load, or has no such signature.
    """

    def __init__(self, path: Path):
        try:
            self._loaded = tf.saved_model.load(str(path))
            self._call = self._loaded.signatures[SIGNATURE]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise ModelFault(f"it does not load: {_first_line(error)}") from error

    def __call__(self, requests: Sequence[bytes]) -> np.ndarray:
        """The scores of some lists, float32 `[lists, list]`.

        Raises:
            ModelFault: It answers with an error, or without scores.
        """
        try:
            scores = self._call(examples=tf.constant(requests))["scores"].numpy()
        except (KeyError, TypeError, ValueError, tf.errors.OpError) as error:
            text = f"it does not answer a request: {_first_line(error)}"
            raise ModelFault(text) from error
        if scores.ndim != 2 or len(scores) != len(requests):
            raise ModelFault(
                f"it answers {len(requests)} lists with scores of shape {scores.shape}"
            )
        return scores

    def milliseconds(self, requests: Sequence[bytes]) -> np.ndarray:
        """How long each list takes alone, `[lists]`.

        Each is asked some times and the fastest counts: what other programs take
        meanwhile is not the model's.
        """
        self(requests[:1])
        return np.array([min(self._timed(r) for _ in range(TIMES)) for r in requests])

    def _timed(self, request: bytes) -> float:
        began = time.perf_counter()
        self([request])
        return 1000 * (time.perf_counter() - began)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
