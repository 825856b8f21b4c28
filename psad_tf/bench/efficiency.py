"""What every method costs: a training step and the ranking of a batch, in turn.

All programs are compiled and warmed up first; then each round runs every one of them
once, so that what the machine does besides falls on all alike. Medians tell. Where the
device has a clock of its own, as many rounds are timed by it.
"""

import time
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from psad_tf.bench.clock import device_seconds, truer
from psad_tf.bench.efficiency_content import SHARE, comparable
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
        A row a program: `method`, `phase`, `batch`, `seconds` (one a round, by the
        `clock` that `truer` chooses), `host_seconds` (what the caller waited),
        `parameters`, `flops`, `knows_history`, `note`; and, for each batch, PSAD's
        `share` of the student in a training step.
    """
    for program in compiled:
        for _ in range(WARM_UP):
            program.run()
    seconds: list[list[float]] = [[] for _ in compiled]
    begun = time.perf_counter()
    for done in tqdm(range(rounds), unit="round", desc="measure"):
        if done >= FEWEST and time.perf_counter() - begun > most_seconds:
            break
        for program, found in zip(compiled, seconds, strict=True):
            started = time.perf_counter()
            program.run()
            found.append(time.perf_counter() - started)
    device = device_seconds([p.run for p in compiled], len(seconds[0]))
    timed = zip(compiled, device or [None] * len(compiled), seconds, strict=True)
    rows = [_row(program, own, host) for program, own, host in timed]
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


def _row(program: Program, device: list[float] | None, host: list[float]) -> dict:
    seconds, clock = truer(device, host)
    return {
        "method": program.method,
        "phase": program.phase,
        "batch": program.batch,
        "seconds": seconds,
        "clock": clock,
        "host_seconds": host,
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
        r["method"]: r for r in rows if (r["phase"], r["batch"]) == (TRAINING, batch)
    }
    whole, alone = found["PSAD"], found[TEACHER_ALONE]
    return float(np.median(1 - np.divide(*comparable(alone, whole))))
