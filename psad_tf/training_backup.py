"""A training that was killed goes on as if it had not been."""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np

from psad_tf.errors import InputError

FILE = "backup.npz"
# EarlyStopping's memory but for the best weights.
_STOPPING = ("wait", "best", "best_epoch", "stopped_epoch")


class BackupError(InputError):
    """A backup that is damaged, or of another training."""


def fingerprint(*parts) -> str:
    """A hash of what decides a training's outcome, of values that JSON knows."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Backup(keras.callbacks.Callback):
    """Keeps all that a training needs to go on, written whole or not at all.

    Keras' own `BackupAndRestore` forgets the state of random numbers, what early
    stopping knows, and the history. Call `load` before `fit`, and put this callback
    behind `history` and `stopping`, whose state it restores.

    Args:
        folder: Its own folder; removed by `remove`.
        fingerprint: Of the training; a backup with another one is refused.
        history: The callback that records each epoch's logs.
        stopping: The callback that keeps the best weights.
        is_writer: Whether this process writes; the other hosts only read.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        history: keras.callbacks.History,
        stopping: keras.callbacks.EarlyStopping,
        is_writer: bool = True,
    ):
        super().__init__()
        self.folder, self.fingerprint = folder, fingerprint
        self.history, self.stopping = history, stopping
        self.is_writer = is_writer
        self._state, self._arrays = {"epochs": 0}, {}

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return self._state["epochs"]

    @property
    def is_over(self) -> bool:
        """Whether early stopping had ended the training."""
        return self._state.get("is_over", False)

    def load(self) -> None:
        """Reads the backup, if there is one.

        Raises:
            BackupError: It is damaged, or of another training.
        """
        file = self.folder / FILE
        if not file.exists():
            return
        try:
            with np.load(file, allow_pickle=False) as content:
                self._arrays = dict(content)
            self._state = json.loads(str(self._arrays.pop("state")))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise BackupError(
                f"{file}: damaged, not to be read as a backup ({error}); delete "
                f"{self.folder} to train from the start"
            ) from error
        if self._state["fingerprint"] != self.fingerprint:
            raise BackupError(
                f"{file}: of another training (fingerprint {self._state['fingerprint']}"
                f", this one's {self.fingerprint}); bring back its configuration and "
                f"lists to go on with it, or delete {self.folder} to train anew"
            )

    def on_train_begin(self, logs=None):
        if not self.epochs:
            return
        for variable, value in zip(
            self._variables(), self._of("variables"), strict=True
        ):
            variable.assign(value)
        for name in _STOPPING:
            setattr(self.stopping, name, self._state["stopping"][name])
        self.stopping.best_weights = self._of("best") or None
        self.history.epoch = list(range(self.epochs))
        self.history.history = self._state["history"]
        self._arrays = {}

    def on_epoch_end(self, epoch, logs=None):
        self._state = {
            "epochs": epoch + 1,
            "is_over": self.model.stop_training,
            "fingerprint": self.fingerprint,
            "stopping": {name: getattr(self.stopping, name) for name in _STOPPING},
            "history": self.history.history,
        }
        if self.is_writer:
            self._write()

    def remove(self) -> None:
        """Deletes the backup: the training is done."""
        if self.is_writer:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        best = self.stopping.best_weights or []
        values = [v.numpy() for v in self._variables()]
        arrays = {f"variables/{i}": value for i, value in enumerate(values)}
        arrays |= {f"best/{i}": value for i, value in enumerate(best)}
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{FILE}"
        with part.open("wb") as out:
            np.savez(out, state=json.dumps(self._state, default=float), **arrays)
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.folder / FILE)

    def _of(self, kind: str) -> list[np.ndarray]:
        count = sum(name.startswith(f"{kind}/") for name in self._arrays)
        return [self._arrays[f"{kind}/{i}"] for i in range(count)]

    def _variables(self):
        """Weights, random states and the optimizer's; measures begin anew anyway."""
        passing = {id(v) for v in self.model.metrics_variables}
        kept = [v for v in self.model.variables if id(v) not in passing]
        return kept + self.model.optimizer.variables
