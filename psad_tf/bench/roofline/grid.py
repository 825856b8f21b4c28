"""Times programs beside what the machine would allow."""

import time
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from tqdm import tqdm

from psad_tf.bench.clock import device_seconds, truer
from psad_tf.bench.roofline.ceilings import Ceilings
from psad_tf.bench.roofline.programs import Compiled

CALLS = 20


def measure(
    programs: Sequence[Compiled], ceilings: Ceilings, calls: int = CALLS
) -> list[dict]:
    """Times each program.

    Args:
        programs: From `compiled`.
        ceilings: Of this machine.
        calls: Of each program, by each clock.

    Returns:
        A row a program: `method`, `phase`, `batch`, `precision`, `shape`; `seconds` (by
        the clock that `truer` chooses) and `host_seconds`, each a
        list of one value a call; `operations`, `products`, `least_bytes`, from shapes;
        `flops`, `bytes`, the compiler's; `floor`, the seconds that the ceilings allow
        for `operations` and `least_bytes`; `moving`, those they allow for `bytes`;
        `share`, the floor divided by the median.
    """
    host = [_host_seconds(p.run, calls) for p in tqdm(programs, desc="measure")]
    device = device_seconds([p.run for p in programs], calls)
    return [
        _row(program, ceilings, truer(own, known), known)
        for program, own, known in zip(
            programs, device or [None] * len(host), host, strict=True
        )
    ]


def _host_seconds(run, calls: int) -> list[float]:
    for _ in range(3):
        run()
    found = []
    for _ in range(calls):
        begun = time.perf_counter()
        run()
        found.append(time.perf_counter() - begun)
    return found


def _row(program, ceilings, found, host):
    seconds, clock = found
    cell, counted = program.cell, program.counted
    floor = ceilings.seconds(counted.operations, program.least_bytes, cell.precision)
    moved = program.compiler["bytes accessed"]
    median = float(np.median(seconds))
    return {
        "method": program.title,
        "phase": cell.phase,
        "batch": cell.batch,
        "precision": cell.precision,
        "shape": asdict(cell.shape),
        "clock": clock,
        "seconds": seconds,
        "host_seconds": host,
        "median": median,
        "lists_per_second": cell.batch / median,
        "operations": counted.operations,
        "products": counted.products,
        "least_bytes": program.least_bytes,
        "flops": program.compiler["flops"],
        "bytes": moved,
        "floor": floor,
        "moving": moved / ceilings.bytes,
        "share": floor / median,
    }
