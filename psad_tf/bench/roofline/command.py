"""`psad bench roofline`: which programs are timed, and the report of them."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from psad_tf.baselines.registry import RERANKERS
from psad_tf.bench.efficiency_programs import INFERENCE, TRAINING
from psad_tf.bench.report_run import Run
from psad_tf.bench.roofline.ceilings import measure_ceilings
from psad_tf.bench.roofline.grid import measure
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

USUAL, QUICK = Shape(), Shape(width=16, rows=2000)
STUDENT, TEACHER = ("PSAD-S",), ("PSAD-G",)
BATCHES, CANDIDATES = (1, 16, 256, 1024, 4096), (20, 100, 500)
# More lists than this with 500 candidates do not fit beside each other.
_MOST_ITEMS = 1 << 19


def cells(is_quick: bool = False) -> Iterator[Cell]:
    """What is timed: the student at every size, all methods at one.

    Args:
        is_quick: Only to try it out, with small models.
    """
    shape, batches = (QUICK, (1, 4)) if is_quick else (USUAL, BATCHES)
    sides = (*STUDENT, USER_SIDE, USER_GIVEN)
    for batch in batches:
        for precision in (FLOAT32, BFLOAT16):
            yield Cell("psad", INFERENCE, batch, precision, shape, sides)
            for m in () if is_quick else CANDIDATES:
                if batch * m <= _MOST_ITEMS:
                    wide = replace(shape, candidates=m)
                    yield Cell("psad", INFERENCE, batch, precision, wide, STUDENT)
    batch = batches[len(batches) // 2]
    for block, refine in ((2, 1), (2, 0), (1, 0)):
        other = replace(shape, block=block, refine=refine)
        yield Cell("psad", INFERENCE, batch, FLOAT32, other, TEACHER)
    for name in ("prm",) if is_quick else RERANKERS:
        yield Cell(name, INFERENCE, batch, FLOAT32, shape)
    for name in ("psad",) if is_quick else ("psad", "prm", "nar4rec", "seq2slate"):
        yield Cell(name, TRAINING, batch, FLOAT32, shape)


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
        yield Training(256 * count, 16, count)
        for each in (256, 2048):
            yield Training(each * count, 4096 // each, count, BFLOAT16)
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
    rows = measure(compiled([*cells(is_quick)]), ceilings, 5 if is_quick else 30)
    found = [measure_training(t) for t in trainings(jax.device_count(), is_quick)]
    content = {"ceilings": asdict(ceilings), "rows": rows, "training": found}
    write_roofline(content, run, out)
