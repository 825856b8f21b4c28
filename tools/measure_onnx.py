"""On one core of a CPU: the student against ONNX Runtime and against other rerankers.

    python tools/measure_onnx.py --out docs/results/cpu_one_core.json

Needs the extra `onnx`. TensorFlow runs as model servers run it: in sessions that hold
their weights and are called straight. Models and full lists are made up, as values cost
no time. In each round every program is called in turn, so that a slow moment of the
machine meets all of them; ratios are medians over rounds, of wall time and of the
process's own processor time. `--table FILE` prints a results file as the table of
docs/speed.md.
"""

import argparse
import json
import os
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np
from one_core import ONNX, RIVALS, STUDENT, XLA, configs, full_lists, programs

WARM_UP = 3
# The second leaves out what other processes take of the core.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
# That of the table.
CLOCK = "wall"
# Of the student, its time over that of the other.
RATIOS = {
    "TensorFlow ÷ ONNX Runtime": (STUDENT, ONNX),
    "with XLA ÷ ONNX Runtime": (XLA, ONNX),
    **{f"÷ {title}": (STUDENT, title) for title in RIVALS.values()},
}


def seconds(call, least: float) -> dict[str, float]:
    """Of a call, by each clock: the median of calls for so long, three at least."""
    took, end = [], time.perf_counter() + least
    while time.perf_counter() < end or len(took) < 3:
        begun = [clock() for clock in CLOCKS.values()]
        call()
        ended = [clock() for clock in CLOCKS.values()]
        took.append(np.subtract(ended, begun))
    return dict(zip(CLOCKS, np.median(took, axis=0), strict=True))


def measured(calls: dict, rounds: int, least: float) -> dict:
    """Times programs, all in turn in each round.

    Returns:
        For each of `CLOCKS`, `milliseconds`, the median of each program, and `ratios`,
        each with `median`, `low` and `high` over the rounds; and the
        `largest_score_difference` from ONNX Runtime.
    """
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    took = {title: [] for title in calls}
    for _ in range(rounds):
        for title, call in calls.items():
            took[title].append(seconds(call, least))
    scores = [calls[title]() for title in (STUDENT, XLA, ONNX)]
    found = {"largest_score_difference": float(np.ptp(scores, axis=0).max())}
    for clock in CLOCKS:
        by_round = {t: np.array([s[clock] for s in rows]) for t, rows in took.items()}
        found[clock] = {
            "milliseconds": {t: _rounded(1e3, x) for t, x in by_round.items()},
            "ratios": {
                name: _spread(by_round[one] / by_round[other])
                for name, (one, other) in RATIOS.items()
            },
        }
    return found


def _spread(values) -> dict[str, float]:
    ends = {"low": values.min(), "high": values.max()}
    return {
        k: round(float(v), 3) for k, v in {"median": np.median(values), **ends}.items()
    }


def _rounded(scale: float, values) -> float:
    return round(scale * float(np.median(values)), 4)


def table(content: dict) -> str:
    """The ratios of a results file in Markdown."""
    head = ["lists a call", "TensorFlow", "with XLA", "ONNX Runtime", *RATIOS]
    lines, models = [head, ["---"] + ["--:"] * (len(head) - 1)], set()
    for row in content["rows"]:
        if row["model"] not in models:
            models.add(row["model"])
            lines.append([f"**{row['model']}**", *[""] * (len(head) - 1)])
        took, over = row[CLOCK]["milliseconds"], row[CLOCK]["ratios"]
        cells = [f"{took[title]:.3g} ms" for title in (STUDENT, XLA, ONNX)]
        cells += [f"{over[name]['median']:.2f}" for name in RATIOS]
        lines.append([str(row["lists"]), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="the results file to write")
    parser.add_argument("--table", type=Path, help="a results file to print")
    parser.add_argument("--lists", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.1, help="a program, a round")
    given = parser.parse_args()
    if given.table:
        print(table(json.loads(given.table.read_text())))
    if given.out:
        measure(given)


def measure(given) -> None:
    """Measures, and writes the results file anew after each row."""
    # Before TensorFlow starts its threads.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import keras
    import onnx
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    packages = keras, onnx, onnxruntime, tf, tf2onnx
    content = {
        "command": f"python tools/measure_onnx.py --out {given.out}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}; one is used",
        "versions": {p.__name__: p.__version__ for p in packages},
        "created": date.today().isoformat(),
        "rounds": given.rounds,
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "rows": [],
    }
    for model, config in configs().items():
        specs, callable_on = programs(config)
        for lists in given.lists:
            inputs = full_lists(config, specs, lists)
            calls = {title: on(inputs) for title, on in callable_on.items()}
            found = measured(calls, given.rounds, given.seconds)
            content["rows"].append({"model": model, "lists": lists, **found})
            given.out.write_text(json.dumps(content, indent=1) + "\n")
            print(f"{model}, {lists} lists: {found['processor']['ratios']}", flush=True)


if __name__ == "__main__":
    main()
