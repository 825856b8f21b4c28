"""The report of a load test: `loadtest.json`, a page, Markdown and plots."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psad_tf.bench.report_files import write_json
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_sheets import Part, Report, Sheet, write_sheets
from psad_tf.data.atomic import atomic_folder
from psad_tf.report_page.formats import count
from psad_tf.report_page.style import Picture, Theme, picture

JSON, TABLES = "loadtest.json", "loadtest.md"
# p99 at half of the capacity, in idle medians.
HALF, MOST_TIMES = 0.5, 4.0
LEAST_SHARE = 0.8
_TIMES = ("p50", "p90", "p99", "p99.9", "max")


def write_loadtest(found: Mapping[str, Any], run: Run, folder: Path) -> None:
    """Writes the report.

    Args:
        found: From `loadtest.run`, and what was asked: `size`, `candidates`, `history`,
            `signature`; `bare` (see `bare_graph.measure`) where it was measured.
        run: How it came about.
        folder: An earlier report in it is replaced.

    Raises:
        InputError: `folder` holds something else.
    """
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, {"run": run, **found, "checks": checks(found)})
        render_loadtest(new / JSON, new)


def render_loadtest(json_path: Path, folder: Path) -> None:
    """Makes everything else from `loadtest.json` alone.

    Args:
        json_path: What `write_loadtest` wrote.
        folder: Where to; other files in it stay.
    """
    found = json.loads(Path(json_path).read_text(encoding="utf-8"))
    run = Run(**found["run"])
    lead = (
        f"Requests of {count(found['size'])} lists of {found['candidates']} candidates "
        f"with {found['history']} past items, signature {found['signature']}. Capacity "
        f"{found['capacity']:.0f} requests, {found['capacity'] * found['size']:.0f} "
        "lists a second."
    )
    sheets = [checks_sheet(found["checks"]), _loads(found["open"]), _closed(found)]
    if found.get("bare"):
        sheets.append(_bare(found["bare"]))
    part = Part("Latency against load", False, lead, sheets, _pictures(found))
    report = Report("Load test", run, "loadtest.txt", [part])
    write_sheets(report, folder, TABLES)


def checks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a server is held to: `what`, `value`, `limit`, `is_met`."""
    made = []
    for load in found["open"]:
        if load["share"] == HALF and "p99" in load:
            times = load["p99"] / found["idle"]["p50"]
            what = "p99 at half of the capacity, in medians of an idle server"
            made.append(check_of(what, times, MOST_TIMES))
    lost = sum(
        load["requests"] - load["codes"].get("OK", 0)
        for load in (*found["closed"], *found["open"])
    )
    made.append(check_of("requests without an answer", lost, 0))
    if found.get("bare"):
        best = max(row["lists_a_second"] for row in found["bare"])
        share = found["capacity"] * found["size"] / best
        what = "lists a second, as a share of the bare graph's at its best batch"
        made.append(check_of(what, share, LEAST_SHARE, at_least=True))
    return made


def check_of(what: str, value: float, limit: float, at_least: bool = False) -> dict:
    """A figure and the most (or least) that it may be."""
    is_met = value >= limit if at_least else value <= limit
    return {"what": what, "value": value, "limit": limit, "is_met": bool(is_met)}


def checks_sheet(made: Sequence[Mapping]) -> Sheet:
    """Checks as a table."""
    rows = [
        [
            c["what"],
            f"{c['value']:.3g}",
            f"{c['limit']:g}",
            "yes" if c["is_met"] else "no",
        ]
        for c in made
    ]
    return Sheet("What was held", "", ["what", "here", "limit", "met"], rows)


def _loads(loads: Sequence[Mapping]) -> Sheet:
    head = ["load", "offered/s", "answered/s", "lists/s", *_TIMES, "not answered"]
    rows = [
        [f"{load['share']:.0%}", f"{load['offered']:.0f}", *_figures(load)]
        for load in loads
    ]
    return Sheet("Requests at random times", "Times in milliseconds.", head, rows)


def _closed(found: Mapping) -> Sheet:
    head = ["in flight", "answered/s", "lists/s", *_TIMES, "not answered"]
    rows = [[str(c["in_flight"]), *_figures(c)] for c in found["closed"]]
    return Sheet("So many at a time", "Times in milliseconds.", head, rows)


def _bare(rows: Sequence[Mapping]) -> Sheet:
    found = [[str(r["batch"]), f"{r['lists_a_second']:.0f}"] for r in rows]
    return Sheet(
        "The graph without a server",
        "The same signature, called in a process of its own, one call at a time.",
        ["lists in a call", "lists/s"],
        found,
    )


def _figures(load: Mapping) -> list[str]:
    times = [f"{load[t]:.2f}" if t in load else "–" for t in _TIMES]
    rates = [f"{load['answered']:.0f}", f"{load['lists_a_second']:.0f}"]
    return [*rates, *times, lost_words(load["codes"])]


def lost_words(codes: Mapping[str, int]) -> str:
    """How many calls ended without an answer, by gRPC code."""
    lost = {code: n for code, n in codes.items() if code != "OK"}
    return ", ".join(f"{n} {code}" for code, n in sorted(lost.items())) or "0"


def _pictures(found: Mapping) -> list[Picture]:
    loads = [load for load in found["open"] if "p50" in load]
    if not loads:
        return []
    return [
        picture(
            _draw,
            loads,
            found["idle"]["p50"],
            title="Latency against load",
            caption="Milliseconds; dotted: the median of an idle server.",
        )
    ]


def _draw(figure, theme: Theme, loads, idle: float) -> None:
    axes = figure.add_subplot()
    offered = [load["offered"] for load in loads]
    for name, colour in zip(("p50", "p99", "p99.9"), theme.parts[1:], strict=False):
        values = [load[name] for load in loads]
        axes.plot(offered, values, marker="o", color=colour, label=name)
    axes.axhline(idle, color=theme.ink, linestyle=":")
    axes.set_yscale("log")
    axes.set_xlabel("requests offered a second")
    axes.set_ylabel("milliseconds")
    axes.legend(frameon=False)
