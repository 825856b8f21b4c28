"""A run's outcome as lines for a terminal, from `metrics.json` alone."""

from collections.abc import Mapping
from typing import Any

from tfx_pipeline.gate.explain import findings

SHOWN = {"ndcg_at_10": "NDCG@10", "map_at_10": "MAP@10"}
ORDERS = {
    "initial": "initial order",
    "mean_rating": "mean rating so far",
    "served": "served scorer",
}


def outcome(metrics: Mapping[str, Any]) -> str:
    """Before and after, what the gate decided and why, and where the model is.

    Args:
        metrics: The content of `metrics.json`.
    """
    lines = _before_and_after(metrics) if "test" in metrics else []
    lines += ["The gate:", *(f"  {line}" for line in findings(metrics["gate"]))]
    return "\n".join([*lines, "", metrics["decision"]["sentence"]])


def _before_and_after(metrics: Mapping[str, Any]) -> list[str]:
    of = "simulated test lists" if metrics["data"]["is_simulated"] else "test lists"
    head = f"{metrics['test']['lists']} {of}, means with 95 % intervals:"
    return [head, *_table(metrics["test"]["overall"]), ""]


def _table(overall: Mapping[str, Any]) -> list[str]:
    rows = []
    for order, title in ORDERS.items():
        cells = [
            _interval(overall[measure]["means"][order])
            for measure in SHOWN
            if order in overall[measure]["means"]
        ]
        if cells:
            rows.append(f"  {title:<20}" + "".join(f"{cell:<28}" for cell in cells))
    for measure, name in SHOWN.items():
        gain = overall[measure]["gains"]["initial"]
        rows.append(f"  gain in {name:<12}{_interval(gain, '+')}")
    head = "  " + " " * 20 + "".join(f"{name:<28}" for name in SHOWN.values())
    return [head, *rows]


def _interval(value: Mapping[str, float], sign: str = "") -> str:
    low, high = (format(value[end], f"{sign}.4f") for end in ("low", "high"))
    return f"{format(value['mean'], f'{sign}.4f')} ({low} to {high})"
