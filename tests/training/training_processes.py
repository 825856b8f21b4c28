"""Trainings in processes of their own, to be killed, or spread over devices and hosts.

Each is a fork of one process that has imported TensorFlow, once for all of them.
"""

import gc
import os
from collections.abc import Sequence
from pathlib import Path

import training_cases
from forks import FORKS

SECONDS = 400  # more than any of them takes on a busy machine


class TrainingProcess:
    """A training, begun.

    Args:
        what: See `training_cases.main`.
        files: The lists.
        out: Where it writes.
        environment: What differs from this process's.
    """

    def __init__(self, what: str, files: Sequence[str], out: Path, **environment: str):
        self._log = Path(f"{out}.log")
        told = what, *files, out, self._log, environment
        self._process = FORKS.Process(target=_run, args=told)
        self._process.start()

    def wait(self) -> tuple[int | None, str]:
        """Its exit code, None if it does not end, and what it said."""
        self._process.join(SECONDS)
        return self._process.exitcode, self._log.read_text()


def _run(what, files, out, log, environment):
    gc.freeze()
    os.environ.update(environment)
    with log.open("w") as words:
        os.dup2(words.fileno(), 1)
        os.dup2(words.fileno(), 2)
    training_cases.main(what, files, out)
