"""How many devices a load needs, from what was measured on one.

    python -m psad_tf.bench.roofline.capacity --results roofline.json \\
        --candidates 300 --history 200 --requests 5000
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from psad_tf.bench.efficiency_content import INFERENCE
from psad_tf.bench.roofline.costs import student
from psad_tf.bench.roofline.shapes import Shape
from psad_tf.errors import InputError

STUDENT = "PSAD-S"
# Beyond it requests wait for each other.
MOST_LOAD = 0.6


def lists_per_second(
    rows: Sequence[Mapping], shape: Shape, batch: int, precision: str
) -> float:
    """What one device ranks, estimated for a size that was not measured.

    The operations of a list, by `costs.student`, at the rate of operations that was
    reached: measured at this batch, and between numbers of items that were measured, on
    the line between their logarithms.

    Args:
        rows: Of a roofline's results.
        shape: The model and its lists.
        batch: Lists a call; one that was measured.
        precision: What it computes in.

    Raises:
        InputError: Nothing was measured at this batch and precision.
    """
    rates = {}
    for row in rows:
        if (row["method"], row["phase"], row["batch"], row["precision"]) == (
            STUDENT,
            INFERENCE,
            batch,
            precision,
        ):
            size = row["shape"]["candidates"] + row["shape"]["history"]
            rates[size] = row["lists_per_second"] * student(Shape(**row["shape"]))
    if not rates:
        known = sorted({(r["batch"], r["precision"]) for r in rows})
        raise InputError(
            f"batch={batch}, precision={precision!r}: not measured; measured: {known}"
        )
    sizes = sorted(rates)
    items = shape.candidates + shape.history
    rate = np.interp(
        math.log(items), np.log(sizes), [math.log(rates[s]) for s in sizes]
    )
    return math.exp(rate) / student(shape)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints lists a second of a device, and how many devices the requests need."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--candidates", type=int, required=True, help="of a list")
    parser.add_argument("--history", type=int, required=True, help="past items")
    parser.add_argument("--requests", type=float, required=True, help="lists a second")
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--width", type=int, default=Shape.width)
    parser.add_argument("--batch", type=int, default=256, help="lists a call")
    parser.add_argument("--precision", default="bfloat16")
    given = parser.parse_args(arguments)
    content = json.loads(given.results.read_text())
    shape = Shape(
        candidates=given.candidates,
        history=given.history,
        layers=given.layers,
        width=given.width,
    )
    rate = lists_per_second(content["rows"], shape, given.batch, given.precision)
    devices = math.ceil(given.requests / (MOST_LOAD * rate))
    print(
        f"{content['run']['device']}, {given.batch} lists a call, {given.precision}: "
        f"about {rate:,.0f} lists a second ({1e-6 * student(shape):.1f} MFLOP each).\n"
        f"{given.requests:,.0f} lists a second at {100 * MOST_LOAD:.0f} % load: "
        f"{devices} of them, by the device alone; what text lookups and the network "
        "cost is the host's, see docs/serving.md."
    )


if __name__ == "__main__":
    main()
