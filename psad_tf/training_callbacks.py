"""What a training tells while it runs, and how it stops when a loss is no number."""

import sys
import time
from pathlib import Path

import keras
import numpy as np

from psad_tf.training_data import Lists

BAD_BATCH_FILE = "bad_batch.npz"


class StopOnBadLoss(keras.callbacks.Callback):
    """Stops at the first loss that is NaN or infinite and saves the batch.

    `bad_batch.npz` holds `step`, `inputs/<name>`, `label`, and the names of what was
    not finite: `bad_losses`, `bad_inputs`, and `bad_weights` before the step.

    Args:
        lists: The training lists.
        steps: Steps an epoch.
        folder: Where the file goes.
        remedy: What to try if the batch itself is sound.
    """

    def __init__(self, lists: Lists, steps: int, folder: Path, remedy: str):
        super().__init__()
        self.lists, self.steps = lists, steps
        self.folder, self.remedy = folder, remedy

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        # A running mean: once not finite, it stays so.
        if np.isfinite(logs["loss"]).all():
            return
        step = self._epoch * self.steps + batch
        inputs, label = next(iter(self.lists.parsed(self.lists.batches(step))))
        values = {f"inputs/{name}": np.asarray(v) for name, v in inputs.items()}
        values["label"] = np.asarray(label)
        weights = {w.path: w.numpy() for w in self.model.weights}
        bad = {
            "bad_losses": _not_finite(logs),
            "bad_inputs": _not_finite(values),
            "bad_weights": _not_finite(weights),
        }
        file = self.folder / BAD_BATCH_FILE
        np.savez_compressed(file, step=step, **values, **bad)
        found = "; ".join(f"{k}: {', '.join(v) or 'none'}" for k, v in bad.items())
        raise FloatingPointError(
            f"the loss was not finite at step {step}, epoch {self._epoch + 1} ({found})"
            f"; the batch is in {file}. Mend the inputs that are named; are none, "
            f"{self.remedy}"
        )


def _not_finite(values) -> list[str]:
    return [name for name, v in values.items() if not np.isfinite(v).all()]


class Progress(keras.callbacks.Callback):
    """Says now and then where the training stands, how fast it goes, and until when.

    Args:
        steps: Steps an epoch.
        epochs: Epochs at most.
        batch_size: Lists a step.
        every: Seconds between two lines; each epoch ends with one.
    """

    def __init__(self, steps: int, epochs: int, batch_size: int, every: float = 30.0):
        super().__init__()
        self.steps, self.epochs = steps, epochs
        self.batch_size, self.every = batch_size, every

    def on_train_begin(self, logs=None):
        self._began = self._said = time.monotonic()
        self._first = None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        if self._first is None:
            self._first = epoch * self.steps

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._said >= self.every:
            self._say(self._epoch * self.steps + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self._say((epoch + 1) * self.steps)

    def _say(self, done: int) -> None:
        self._said = time.monotonic()
        seconds = self._said - self._began
        made = done - self._first
        left = seconds / made * (self.steps * self.epochs - done)
        print(
            f"epoch {self._epoch + 1}/{self.epochs}, step {done}/"
            f"{self.steps * self.epochs}: {made * self.batch_size / seconds:.0f} "
            f"lists/s, at most {_clock(left)} left",
            file=sys.stderr,
            flush=True,
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
