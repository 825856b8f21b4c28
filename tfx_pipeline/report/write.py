"""Writes the report of a run: the page, its figures as JSON, three lists as text."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psad_tf.cold_start import known_values
from psad_tf.data.atomic import atomic_folder
from psad_tf.data.examples import decode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import feature_set
from psad_tf.report_page.style import Picture, picture
from tfx_pipeline.gate.record import GATE_FILE, write_record
from tfx_pipeline.report import plots
from tfx_pipeline.report.cold_start import measure_cold_start
from tfx_pipeline.report.data import list_shapes
from tfx_pipeline.report.data_plot import draw_distances
from tfx_pipeline.report.examples import ShownList, as_text, choose_lists
from tfx_pipeline.report.files import LATEST, LISTS, METRICS, PAGE, REQUEST
from tfx_pipeline.report.gate import read_gate
from tfx_pipeline.report.gate_plot import draw_gate
from tfx_pipeline.report.inputs import SPLITS, ReportInputs, read_json
from tfx_pipeline.report.page import render
from tfx_pipeline.report.results import (
    HEADLINE,
    RESAMPLES,
    Comparison,
    TestResults,
    measure_lists,
)
from tfx_pipeline.report.served import read_serialized, served_order
from tfx_pipeline.report.summary import describe_refused, summarize


def write_report(
    inputs: ReportInputs, out: Path, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Writes `index.html`, `metrics.json`, `gate.json`, `lists.txt` and `request.json`.

    Of a model that gave no order to measure the first three alone.

    Args:
        inputs: What the run's components wrote.
        out: The folder to write into; a copy replaces `<root>/report/latest/`.
        resamples: Of each bootstrap.

    Returns:
        The content of `metrics.json`.
    """
    gate = read_gate(inputs)
    if not gate["measured"]:
        summary = describe_refused(inputs, gate)
        return _written(inputs, out, summary, {"data_gate": []}, {})
    features = feature_set(inputs.settings["dataset"])
    serialized = {split: read_serialized(inputs.split(split)) for split in SPLITS}
    lists = {
        split: [decode_list(x, features) for x in encoded]
        for split, encoded in serialized.items()
    }
    order = served_order(inputs.model, serialized["test"])
    results = measure_lists(lists["test"], order, features, resamples)
    known = known_values(inputs.model, features)
    cold_start = measure_cold_start(results, features, known, resamples)
    shown = choose_lists(results, read_json(inputs.log / "items.json"))
    summary = summarize(inputs, results, cold_start, shown)
    everything = [x for split in SPLITS for x in lists[split]]
    pictures = draw(results, cold_start, summary, list_shapes(everything))

    texts = {LISTS: as_text(shown), REQUEST: _request(lists["test"], shown)}
    return _written(inputs, out, summary, pictures, texts)


def _written(
    inputs: ReportInputs,
    out: Path,
    summary: dict[str, Any],
    pictures: dict[str, list[Picture]],
    texts: dict[str, str],
) -> dict[str, Any]:
    """Writes page, figures and texts, and the latest copy; the figures."""
    out = Path(out)
    write_record(out, summary["gate"] | {"decision": summary["decision"]})
    figures = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    texts |= {PAGE: render(summary, pictures), METRICS: figures + "\n"}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    with atomic_folder(Path(inputs.settings["root"]) / LATEST, METRICS) as folder:
        for name in (GATE_FILE, *texts):
            shutil.copy(out / name, folder / name)
    return summary


def _request(lists: list[RankingList], shown: list[ShownList]) -> str:
    """The last of the shown lists as a client would ask for it: without its clicks."""
    wanted = shown[-1].request_id if shown else lists[0].request_id
    chosen = next(x for x in lists if x.request_id == wanted)
    request = {
        "user": dict(chosen.user),
        "candidates": [dict(item) for item in chosen.candidates],
        "history": [dict(item) for item in chosen.history],
    }
    return json.dumps(request, indent=1, ensure_ascii=False) + "\n"


def draw(
    results: TestResults,
    cold_start: list[Comparison],
    summary: dict[str, Any],
    shapes: dict[str, list[int]],
) -> dict[str, list[Picture]]:
    """The plots of each section of the page."""
    return {
        "gate": draw_gate(summary["gate"]["checks"]),
        "slices": [
            _groups("Before and after, by group", _with_all(results, results.slices)),
            picture(
                plots.draw_history,
                results.by_history,
                title="How much history it takes",
                caption="Few lists, counted below, make wide intervals.",
                height=4.6,
            ),
        ],
        "cold_start": [
            _groups(
                "Before and after, by what is known", _with_all(results, cold_start)
            )
        ],
        "training": _of_training(summary["training"]),
        "data_gate": draw_distances(summary["data"]["gate"]["checks"]),
        "data": _of_data(summary["data"]["lists"], shapes),
    }


def _with_all(results: TestResults, groups: Sequence[Comparison]) -> list[Comparison]:
    return [results.overall[HEADLINE], *groups]


def _groups(title: str, groups: list[Comparison]) -> Picture:
    return picture(
        plots.draw_slices,
        groups,
        title=title,
        caption="Means over the test lists of each group; how many, in brackets.",
        height=1.3 + 0.34 * sum(c.lists > 0 for c in groups),
    )


def _of_training(training: dict[str, Any]) -> list[Picture]:
    history, kept = training["history"], training["kept_epoch"]
    return [
        picture(
            plots.draw_losses,
            history,
            kept,
            title="Losses",
            caption="Solid: means over an epoch; dashed: after it.",
        ),
        picture(
            plots.draw_validation,
            history,
            kept,
            training["validation"]["initial_ndcg_at_10"],
            title="Validation",
            caption="The weights of the best epoch are the ones that are served.",
        ),
    ]


def _of_data(fates: dict[str, int], shapes: dict[str, list[int]]) -> list[Picture]:
    counts = [
        ("candidates", "List length", "candidates in the list"),
        ("past_items", "History length", "past items in the list"),
        ("clicks", "Clicks", "clicks in the list"),
    ]
    return [
        picture(
            plots.draw_fates,
            fates,
            title="What became of the lists",
            caption="Splits first, then the reasons why candidate lists were left.",
        ),
        *(
            picture(
                plots.draw_counts,
                shapes[name],
                xlabel,
                title=title,
                caption="Lists of all splits.",
            )
            for name, title, xlabel in counts
        ),
    ]
