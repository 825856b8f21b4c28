"""How a training step depends on the size of an embedding table: time and memory.

    python tools/measure_tables.py --out docs/results/table_sizes.json

Time: models that differ in the rows of their item table alone train in turns, on
batches that look up the same number of distinct rows, spread over the whole table.
Memory: each model trains in a process of its own; what its peak has more than that of
the smallest table is held against `psad_tf.memory`. TensorFlow, on this machine's CPU.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
DISTINCT = 10_000  # ids that stand in lists, in a table of any size
BATCH, ROUNDS, STEPS = 256, 9, 2
MOST_DENSE = 1_000_000  # beyond, a dense step takes seconds


def program(rows: int, way: str, batch: int = BATCH):
    """A model and a function that trains it for a step.

    Args:
        rows: Of its item table.
        way: `table_updates` of its training.
        batch: Lists a step.

    Returns:
        The model's configuration, how it is trained, and the function.
    """
    import tensorflow as tf

    from psad_tf import tensors
    from psad_tf.bench.roofline.shapes import Shape, config_of, lists_of
    from psad_tf.model import build_psad
    from psad_tf.training_config import TrainingConfig
    from psad_tf.training_optimizer import optimizer

    shape = Shape(rows=DISTINCT)
    lists = lists_of(config_of(shape), 4 * batch)
    config = config_of(replace(shape, rows=rows))
    place = np.random.default_rng(0).choice(rows, DISTINCT, replace=False)
    for name in (tensors.CANDIDATE_IDS, tensors.HISTORY_IDS):
        lists[name] = place[lists[name]].astype(lists[name].dtype)
    training = TrainingConfig(batch_size=batch, table_updates=way)
    model = build_psad(config)
    model.compile(optimizer(training, 1000), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    model.make_train_function()
    batches = [
        {name: tf.constant(values[i : i + batch]) for name, values in lists.items()}
        for i in range(0, 4 * batch, batch)
    ]
    given = [({k: b[k] for k in tensors.INPUTS}, b[tensors.LABEL]) for b in batches]

    def step(number: int) -> None:
        model.train_function(iter([given[number % len(given)]]))

    return config, training, step


def times(way: str, sizes) -> list[dict]:
    """Milliseconds of a step at each size, and their ratio to the smallest table's."""
    steps = {rows: program(rows, way)[2] for rows in sizes}
    took = {rows: [] for rows in sizes}
    for turn in range(-1, ROUNDS):
        for rows, step in steps.items():
            begun = time.perf_counter()
            for number in range(STEPS):
                step(number)
            if turn >= 0:  # the first one traces
                took[rows].append((time.perf_counter() - begun) / STEPS * 1e3)
    base = np.array(took[sizes[0]])
    return [
        {
            "table_updates": way,
            "rows": rows,
            "milliseconds": float(np.median(ms)),
            "ratio": float(np.median(np.array(ms) / base)),
        }
        for rows, ms in took.items()
    ]


def peak(rows: int, way: str, batch: int) -> dict:
    """Bytes of this process at its peak, and those that are predicted."""
    from psad_tf.memory import memory

    config, training, step = program(rows, way, batch)
    for number in range(8):
        step(number)
    bytes_ = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"peak": bytes_, "predicted": memory(config, training).total}


def peaks(cells) -> list[dict]:
    """Of each model what it takes more than the first: measured and predicted."""
    found = []
    for rows, way, batch in cells:
        command = [sys.executable, __file__, "--peak", str(rows), way, str(batch)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        cell = {"rows": rows, "table_updates": way, "batch": batch}
        found.append(cell | json.loads(done.stdout.splitlines()[-1]))
        print(found[-1], flush=True)
    first = found[0]
    for cell in found[1:]:
        more = {k: cell[k] - first[k] for k in ("peak", "predicted")}
        cell["more_than_first"] = more | {"ratio": more["peak"] / more["predicted"]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        rows, way, batch = given.peak
        print(json.dumps(peak(int(rows), way, int(batch))))
        return
    # Before TensorFlow is loaded: a process begins with the peak of the one it is of.
    memory = peaks(
        [
            (DISTINCT, "lazy", BATCH),
            (10_000_000, "lazy", BATCH),
            (DISTINCT, "lazy", 2 * BATCH),
            (5_000_000, "dense", BATCH),
        ]
    )
    import tensorflow as tf

    from psad_tf.bench.roofline.shapes import Shape

    small = [rows for rows in ROWS if rows <= MOST_DENSE]
    content = {
        "command": "python tools/measure_tables.py",
        "tensorflow": tf.__version__,
        "batch": BATCH,
        "distinct_ids": DISTINCT,
        "shape": asdict(Shape(rows=DISTINCT)),
        "seconds": times("lazy", ROWS) + times("dense", small),
        "memory": memory,
    }
    given.out.write_text(json.dumps(content, indent=1) + "\n")
    for cell in content["seconds"]:
        print(cell)


if __name__ == "__main__":
    main()
