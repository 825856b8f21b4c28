"""`psad bench roofline`: which programs are timed, and the report of them."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from psad_tf.baselines.registry import RERANKERS
from psad_tf.bench.efficiency_programs import INFERENCE, TRAINING
from psad_tf.bench.report_run import Run
from psad_tf.bench.roofline.ceilings import measure_ceilings
from psad_tf.bench.roofline.grid import CALLS, measure
from psad_tf.bench.roofline.programs import (
    BFLOAT16,
    FLOAT32,
    USER_GIVEN,
    USER_SIDE,
    Cell,
    compiled,
)
from psad_tf.bench.roofline.report import write_roofline
from psad_tf.bench.roofline.shapes import Shape
from psad_tf.bench.roofline.throughput import Training, measure_training

USUAL = Shape()
QUICK = Shape(candidates=8, history=12, slate=4, width=16, rows=2000)
STUDENT, TEACHER = ("PSAD-S",), ("PSAD-G",)
SIDES = (*STUDENT, USER_SIDE, USER_GIVEN)
MIDDLE = 256
# Of other numbers of candidates: lists a call, as far as the logits fit beside it all.
WIDE = {20: (1, MIDDLE, 4096), 100: (1, MIDDLE, 4096), 500: (1, MIDDLE, 1024)}
# PIER looks at permutations of a few items; at 30 candidates it is another method.
RIVALS = tuple(name for name in RERANKERS if name != "pier")
TRAINED = ("psad", "prm", "nar4rec", "seq2slate")


def cells(is_quick: bool = False) -> Iterator[Cell]:
    """What is timed: the student at many sizes, all methods at one.

    Args:
        is_quick: Only to try it out, with small models.
    """
    shape, middle = (QUICK, 4) if is_quick else (USUAL, MIDDLE)
    for batch in (1, middle) if is_quick else (1, middle, 4096):
        for precision in (FLOAT32, BFLOAT16):
            yield Cell("psad", INFERENCE, batch, precision, shape, SIDES)
    if not is_quick:
        for batch in (16, 1024):
            yield Cell("psad", INFERENCE, batch, BFLOAT16, shape, STUDENT)
        for candidates, batches in WIDE.items():
            wide = replace(shape, candidates=candidates)
            for batch in batches:
                yield Cell("psad", INFERENCE, batch, BFLOAT16, wide, STUDENT)
    for block, refine in ((2, 1), (2, 0), (1, 0), *([] if is_quick else [(5, 1)])):
        other = replace(shape, block=block, refine=refine)
        yield Cell("psad", INFERENCE, middle, FLOAT32, other, TEACHER)
    for name in RIVALS[2:3] if is_quick else RIVALS:
        yield Cell(name, INFERENCE, middle, FLOAT32, shape)
    for name in TRAINED[:1] if is_quick else TRAINED:
        yield Cell(name, TRAINING, middle, FLOAT32, shape)


def trainings(devices: int, is_quick: bool = False) -> Iterator[Training]:
    """The trainings whose lists a second are measured.

    Args:
        devices: How many there are: each count that is a power of two is tried.
        is_quick: Only to try it out.
    """
    if is_quick:
        yield Training(batch=8, steps=2, shape=QUICK, lists=64)
        return
    count = 1
    while count <= devices:
        yield Training(MIDDLE * count, 16, count)
        yield Training(MIDDLE * count, 16, count, BFLOAT16)
        yield Training(2048 * count, 4, count, BFLOAT16)
        count *= 2


def run(is_quick: bool, run: Run, out: Path) -> None:
    """Measures and writes the report.

    Args:
        is_quick: Small models and few calls, only to try it out.
        run: How it came about.
        out: The report's folder.
    """
    import jax

    ceilings = measure_ceilings(512 if is_quick else None)
    rows = measure(compiled([*cells(is_quick)]), ceilings, 5 if is_quick else CALLS)
    found = [measure_training(t) for t in trainings(jax.device_count(), is_quick)]
    content = {"ceilings": asdict(ceilings), "rows": rows, "training": found}
    write_roofline(content, run, out)
