"""The same pipeline under several seeds: how much of a figure is chance."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.data.prepare import write_json
from tfx_pipeline.report.terminal import ORDERS, SHOWN

SEEDS_FILE = "seeds.json"


def summarize_seeds(runs: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """What several runs have in common and how far they spread.

    Args:
        runs: Seed to the content of the run's `metrics.json`.

    Returns:
        `seeds`: of each seed, measure and order the mean over test lists, and the
        interval of the served scorer's gains; `over_seeds`: of each measure and order
        the mean and the standard deviation over seeds (0 for a single one); the
        versions of the packages and the settings of the first run; whether the data
        is simulated.
    """
    rows = {str(seed): _row(metrics["test"]) for seed, metrics in runs.items()}
    first = next(iter(runs.values()))
    over = {
        measure: {
            order: _spread([row[measure]["means"][order] for row in rows.values()])
            for order in next(iter(rows.values()))[measure]["means"]
        }
        for measure in SHOWN
    }
    return {
        "test_lists": first["test"]["lists"],
        "is_simulated": first["data"]["is_simulated"],
        "over_seeds": over,
        "seeds": rows,
        "versions": first["versions"],
        "settings": {k: first["settings"][k] for k in ("dataset", "model", "training")},
    }


def _row(test: Mapping[str, Any]) -> dict[str, Any]:
    return {
        measure: {
            "means": {
                k: v["mean"] for k, v in test["overall"][measure]["means"].items()
            },
            "gains": test["overall"][measure]["gains"],
        }
        for measure in SHOWN
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "deviation": deviation}


def as_markdown(summary: Mapping[str, Any]) -> str:
    """The figures as Markdown tables: over seeds, then each seed's gains."""
    seeds = ", ".join(summary["seeds"])
    of = "simulated test lists" if summary["is_simulated"] else "test lists"
    lines = [
        f"{summary['test_lists']} {of}, seeds {seeds}; mean ± standard deviation over "
        "seeds.",
        "",
        "| order | " + " | ".join(SHOWN.values()) + " |",
        "|---|" + "---|" * len(SHOWN),
    ]
    for order, title in ORDERS.items():
        cells = [summary["over_seeds"][measure].get(order) for measure in SHOWN]
        if all(cells):
            texts = [f"{c['mean']:.4f} ± {c['deviation']:.4f}" for c in cells]
            lines.append(f"| {title} | " + " | ".join(texts) + " |")
    others = [o for o in ORDERS if o != "served"]
    lines += ["", "Gain of the served scorer in NDCG@10, with its 95 % interval:", ""]
    lines += ["| seed | " + " | ".join(f"over {ORDERS[o]}" for o in others) + " |"]
    lines += ["|---|" + "---|" * len(others)]
    for seed, row in summary["seeds"].items():
        gains = [row["ndcg_at_10"]["gains"].get(o) for o in others]
        texts = [
            f"{g['mean']:+.4f} ({g['low']:+.4f} to {g['high']:+.4f})" if g else ""
            for g in gains
        ]
        lines.append(f"| {seed} | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def write_seeds(out: Path, runs: Mapping[int, Mapping[str, Any]]) -> str:
    """Writes `seeds.json` and `seeds.md` into a folder; returns the Markdown."""
    summary = summarize_seeds(runs)
    text = as_markdown(summary)
    write_json(out / SEEDS_FILE, summary)
    (out / SEEDS_FILE).with_suffix(".md").write_text(text)
    return text
