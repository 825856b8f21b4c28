"""The speed that the documentation states is the measured one."""

import json
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_tables_are_those_of_the_results_file():
    text = (DOCS / "raw_logs.md").read_text()
    runs = json.loads((DOCS / "results" / "raw_logs.json").read_text())["runs"]
    for run in runs:
        peaks = ", ".join(map(str, run["peak_mib_of_processes"]))
        assert (
            f"| {run['rows']:,} | {run['seconds']} | {run['rows_a_second']:,} | "
            f"{run['processor_seconds']} | {peaks} |"
        ) in text
    largest = max(runs, key=lambda run: run["rows"])
    tasks = largest["processor_seconds_of_tasks"]
    for task, name in (("parse_range", "parse"), ("make_lists", "lists")):
        each = tasks[task] / largest["rows"] * 1e6
        assert f"| {name} | {tasks[task]:.1f} | {each:.2f} |" in text
