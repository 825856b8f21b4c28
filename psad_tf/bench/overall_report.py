"""The report of `psad bench overall`: all rerankers under one protocol."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.bench.overall_content import RESAMPLES, content_of
from psad_tf.bench.overall_paper import paper_picture, paper_sheet
from psad_tf.bench.overall_pictures import pictures_of
from psad_tf.bench.overall_sheets import METRICS, chosen_sheet, sheets_of
from psad_tf.bench.report_files import csv_text, write_json
from psad_tf.bench.report_results import BENCHES, Result
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sheets import Part, Report, write_sheets
from psad_tf.bench.report_words import dataset_title
from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.formats import count

JSON, CSV, TABLES = "overall.json", "overall.csv", "overall.md"


def write_overall(
    results: Sequence[Result],
    methods: Mapping[str, Mapping[str, Any]],
    run: Run,
    folder: Path,
) -> None:
    """Writes `overall.json`, `overall.csv`, `overall.md`, `index.html` and the plots.

    Args:
        results: Of the bench `overall`, one for each method (its `variant`) and data
            set. `per_list` holds, as far as it was measured, `overall_sheets.RANKING`
            and `DIVERSITY` of each list, and `per_run` `PREDICTION`.
        methods: Title to what was chosen on validation lists, for all the data sets
            alike (a report each where they were tuned apart): `learning_rate`,
            `options`, how many `configurations` were tried, `validation_ndcg`,
            `parameters`, `knows_history` and a `note`, as far as they apply.
        run: How the results came about.
        folder: An earlier report in it is replaced.

    Raises:
        InputError: The results don't fit together or to `methods`, or `folder` holds
            something else.
    """
    content = content_of(results, methods, run)
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, content)
        (new / CSV).write_text(csv_text([*_lines(content)]), encoding="utf-8")
        render_overall(new / JSON, new)


def render_overall(json_path: Path, folder: Path) -> None:
    """Makes `overall.md`, `index.html` and the plots from `overall.json` alone.

    Args:
        json_path: What `write_overall` wrote.
        folder: Where to; other files in it stay.
    """
    content = json.loads(Path(json_path).read_text(encoding="utf-8"))
    names = [_name(dataset) for dataset in content["datasets"]]
    ours = dict(zip(names, content["datasets"], strict=True))
    beside = Part(
        "Methods",
        False,
        "What stands for each method, and what the paper says of those it has.",
        [chosen_sheet(content["methods"], ", ".join(ours)), paper_sheet(ours)],
        [paper_picture(ours)],
    )
    report = Report(
        BENCHES["overall"],
        Run(**content["run"]),
        "overall.txt",
        [*map(_part, ours.values()), beside],
        {"resamples": RESAMPLES},
    )
    write_sheets(report, folder, TABLES)


def _lines(content) -> Iterator[dict[str, Any]]:
    """A line for each method, data set and seed."""
    for dataset in content["datasets"]:
        for title, method in dataset["methods"].items():
            for i, seed in enumerate(method["seeds"] or [None]):
                per_seed = method["per_seed"]
                values = {name: x[i] for name, x in per_seed.items()}
                yield {
                    "dataset": dataset["dataset"],
                    "simulated": dataset["is_simulated"],
                    "split": dataset["split"],
                    "lists": dataset["lists"],
                    "method": title,
                    "seed": seed,
                    **{name: values.get(name) for name in METRICS},
                }


def _name(dataset) -> str:
    return dataset_title(dataset["dataset"], dataset["is_simulated"])


def _part(dataset) -> Part:
    where = f"{_name(dataset)}, {dataset['split']} lists"
    seeds = sorted({s for m in dataset["methods"].values() for s in m["seeds"]})
    lead = (
        f"{count(dataset['lists'])} lists, seeds {', '.join(map(str, seeds)) or '–'}."
    )
    title = f"{BENCHES['overall']}: {where}"
    pictures = [*pictures_of(dataset, f"{where}.")]
    return Part(title, dataset["is_simulated"], lead, sheets_of(dataset), pictures)
