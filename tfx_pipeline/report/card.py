"""The model card of a pushed version: what it is, what it is for, how well it does.

It lies beside the versions, in `cards/`, and not in the version's own folder: that is
the trained model byte for byte, by which a repeated push is known for one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psad_tf.report_page.page import environment
from tfx_pipeline.gate.explain import check_title, figure
from tfx_pipeline.lineage.trace import CARDS

USE = (
    "Reorders the candidates of one list for one user. Scores compare candidates of "
    "the same list and of no other."
)
MISUSE = (
    "Not a first stage: it sees at most {length} candidates. Not for items or users of "
    "another data set, whose ids it does not know."
)


def write_card(summary: Mapping[str, Any]) -> Path | None:
    """Writes `cards/<version>.json` and `.html` into the model store.

    A card is written once: a repeated push of the same model leaves it.

    Args:
        summary: The content of `metrics.json`.

    Returns:
        The page; None where nothing was pushed.
    """
    decision = summary["decision"]
    if not decision["pushed"]:
        return None
    folder = Path(decision["destination"]).parent / CARDS
    page = folder / f"{decision['version']}.html"
    record = page.with_suffix(".json")
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        card = describe(summary)
        templates = environment("tfx_pipeline")
        templates.filters |= {"check": check_title, "figure": figure}
        _replace(page, templates.get_template("card.html").render(**card))
        text = json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False)
        _replace(record, text + "\n")
    return page


def describe(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a card."""
    model, test, settings = summary["model"], summary["test"], summary["settings"]
    length = model.get("model", {}).get("list_length", "its list length of")
    return {
        "version": summary["decision"]["version"],
        "created": summary["created"],
        "root": settings["root"],
        "dataset": summary["dataset"],
        "is_simulated": summary["data"]["is_simulated"],
        "package": model["version"],
        "use": USE,
        "misuse": MISUSE.format(length=length),
        "data": {k: summary["data"][k] for k in ("cuts", "lists", "files")},
        "validation": summary["training"]["validation"],
        "test_lists": test["lists"],
        "test": test["overall"],
        "weak_groups": weak_groups([*test["slices"], *test["cold_start"]]),
        "gate": summary["gate"],
        "serving_check": summary["serving_check"],
        "settings": settings,
        "versions": summary["versions"],
    }


def weak_groups(groups) -> list[dict[str, Any]]:
    """Groups of lists in which no gain over the initial order is sure."""
    return [
        {
            "group": f"{c['partition'].replace('_', ' ')}: {c['label']}",
            "lists": c["lists"],
            "gain": c["gains"]["initial"],
        }
        for c in groups
        if c["lists"] and c["gains"]["initial"]["low"] <= 0
    ]


def _replace(file: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    partial = file.with_name(f".{file.name}-{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.rename(file)
