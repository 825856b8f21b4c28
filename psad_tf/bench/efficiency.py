"""What every method costs: a training step and the ranking of a batch, in turn.

All programs are compiled and warmed up first; then each round times every one of them
in turn, so that what the machine does besides falls on all alike. Medians tell.
"""

import time
from collections.abc import Sequence

import jax
import numpy as np
from tqdm import tqdm

from psad_tf.bench.clock import Queue
from psad_tf.bench.efficiency_content import SHARE
from psad_tf.bench.efficiency_programs import (
    INFERENCE,
    TEACHER_ALONE,
    TRAINING,
    Program,
)

ROUNDS, QUICK_ROUNDS, WARM_UP = 100, 5, 3
FEWEST, MOST_SECONDS = 5, 900.0
_NOTES = {
    ("PSAD-G", INFERENCE): "greedy blocks, refined",
    ("PSAD", TRAINING): "generator and scorer",
}


def measure(
    compiled: Sequence[Program],
    rounds: int = ROUNDS,
    most_seconds: float = MOST_SECONDS,
) -> list[dict]:
    """Times programs, all in turn in each round.

    Args:
        compiled: From `efficiency_programs.programs`.
        rounds: The most rounds.
        most_seconds: No round begins later than this, once `FEWEST` are done.

    Returns:
        A row a program: `method`, `phase`, `batch`, `seconds` (of a step or a ranking,
        one a round: on a device beside the host in a queue of calls, else as the caller
        waits), `parameters`, `flops`, `knows_history`, `note`; and, for each batch,
        PSAD's `share` of the student in a training step.
    """
    for program in compiled:
        for _ in range(WARM_UP):
            program.call()
    is_host = jax.default_backend() == "cpu"
    take = _waiting if is_host else lambda program: Queue(program.start).seconds
    timed = [take(program) for program in compiled]
    seconds: list[list[float]] = [[] for _ in compiled]
    begun = time.perf_counter()
    for done in tqdm(range(rounds), unit="round", desc="measure"):
        if done >= FEWEST and time.perf_counter() - begun > most_seconds:
            break
        for once, found in zip(timed, seconds, strict=True):
            found.append(once())
    rows = [_row(*pair) for pair in zip(compiled, seconds, strict=True)]
    batches = sorted({p.batch for p in compiled if p.method == TEACHER_ALONE})
    shares = [
        {
            "method": "PSAD",
            "phase": SHARE,
            "batch": batch,
            "share": share_of_student(rows, batch),
        }
        for batch in batches
    ]
    return [r for r in rows if r["method"] != TEACHER_ALONE] + shares


def _waiting(program: Program):
    """Times a call that the caller waits for."""

    def once():
        begun = time.perf_counter()
        program.call()
        return time.perf_counter() - begun

    return once


def _row(program: Program, seconds: list[float]) -> dict:
    return {
        "method": program.method,
        "phase": program.phase,
        "batch": program.batch,
        "seconds": [x / program.runs for x in seconds],
        "parameters": program.parameters,
        "flops": program.flops,
        # Every method's items have attended to it.
        "knows_history": True,
        "note": _NOTES.get((program.method, program.phase), ""),
    }


def share_of_student(rows: Sequence[dict], batch: int) -> float:
    """Of PSAD's training step: 1 less what the same step takes without the student.

    Args:
        rows: With the programs `PSAD` and `TEACHER_ALONE`, timed in the same rounds.
        batch: Lists a step.

    Returns:
        The median over rounds.
    """
    found = {
        r["method"]: r["seconds"]
        for r in rows
        if (r["phase"], r["batch"]) == (TRAINING, batch)
    }
    return float(np.median(1 - np.divide(found[TEACHER_ALONE], found["PSAD"])))
