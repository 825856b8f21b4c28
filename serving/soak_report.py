"""The report of a soak: `soak.json`, a page, Markdown and plots over time."""

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
from serving.load_report import MOST_TIMES, check_of, checks_sheet, lost_words

JSON, TABLES = "soak.json", "soak.md"
MOST_GROWTH = 1.1
_SETTLED = 0.1  # of the time: by then all that is made once is there
_MIB = 2**20
_TIMES = ("p50", "p99", "p99.9", "max")


def write_soak(found: Mapping[str, Any], run: Run, folder: Path) -> None:
    """Writes the report.

    Args:
        found: From `soak.run`, and what was asked: `size`, `candidates`, `history`,
            `signature`.
        run: How it came about.
        folder: An earlier report in it is replaced.

    Raises:
        InputError: `folder` holds something else.
    """
    with atomic_folder(Path(folder), JSON) as new:
        write_json(new / JSON, {"run": run, **found, "checks": checks(found)})
        render_soak(new / JSON, new)


def render_soak(json_path: Path, folder: Path) -> None:
    """Makes everything else from `soak.json` alone.

    Args:
        json_path: What `write_soak` wrote.
        folder: Where to; other files in it stay.
    """
    found = json.loads(Path(json_path).read_text(encoding="utf-8"))
    requests = sum(row["requests"] for row in found["slices"])
    lead = (
        f"{count(requests)} requests in {found['seconds'] / 60:g} minutes, "
        f"{found['rate']:.0f} a second, of {count(found['size'])} lists of "
        f"{found['candidates']} candidates with {found['history']} past items, "
        f"signature {found['signature']}. {len(found['published'])} versions were "
        "published meanwhile."
    )
    if found["capacity"]:
        lead += (
            f" Capacity {found['capacity']:.0f} requests a second, idle median "
            f"{found['idle']['p50']:.2f} ms."
        )
    sheets = [checks_sheet(found["checks"]), _slices(found["slices"])]
    part = Part("Over time", False, lead, sheets, _pictures(found["slices"]))
    report = Report("Soak", Run(**found["run"]), "soak.txt", [part])
    write_sheets(report, folder, TABLES)


def checks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a server is held to: `what`, `value`, `limit`, `is_met`."""
    slices = found["slices"]
    lost = sum(row["requests"] - row["codes"].get("OK", 0) for row in slices)
    wrong = sum(row["wrong"] for row in slices)
    made = [
        check_of("requests without an answer", lost, 0),
        check_of("answers unlike the first one to the same request", wrong, 0),
    ]
    memory = [row["memory"] for row in slices]
    if all(memory):
        settled = memory[int(_SETTLED * len(memory))]
        what = "memory at the end, of that after a tenth of the time"
        made.append(check_of(what, memory[-1] / settled, MOST_GROWTH))
    tails = sorted(row["p99"] for row in slices if "p99" in row)
    if found["idle"] and tails:
        times = tails[len(tails) // 2] / found["idle"]["p50"]
        what = "p99 of the median slice, in medians of an idle server"
        made.append(check_of(what, times, MOST_TIMES))
    return made


def _slices(rows: Sequence[Mapping]) -> Sheet:
    head = ["to minute", "requests", *_TIMES, "not answered", "memory", "versions"]
    lines = [
        [
            f"{row['minute']:g}",
            count(row["requests"]),
            *(f"{row[t]:.2f}" if t in row else "–" for t in _TIMES),
            lost_words(row["codes"]),
            "–" if row["memory"] is None else f"{row['memory'] / _MIB:.0f}",
            ", ".join(row["versions"]) or "–",
        ]
        for row in rows
    ]
    caption = "Times in milliseconds, memory in MiB."
    return Sheet("By time", caption, head, lines, words=(0, len(head) - 1))


def _pictures(rows: Sequence[Mapping]) -> list[Picture]:
    made = [
        picture(
            _draw_times,
            [row for row in rows if "p50" in row],
            title="Latency over time",
            caption="Milliseconds, on a logarithmic scale.",
        )
    ]
    if all(row["memory"] for row in rows):
        made.append(
            picture(
                _draw_memory,
                rows,
                title="Memory over time",
                caption="MiB of the server; dotted: a version answered first.",
            )
        )
    return made


def _draw_times(figure, theme: Theme, rows) -> None:
    axes = figure.add_subplot()
    minutes = [row["minute"] for row in rows]
    for name, colour in zip(("p50", "p99", "max"), theme.parts[1:], strict=False):
        values = [row[name] for row in rows]
        axes.plot(minutes, values, marker=".", color=colour, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("minutes")
    axes.set_ylabel("milliseconds")
    axes.legend(loc="upper right")


def _draw_memory(figure, theme: Theme, rows) -> None:
    axes = figure.add_subplot()
    minutes = [row["minute"] for row in rows]
    axes.plot(minutes, [row["memory"] / _MIB for row in rows], color=theme.parts[1])
    seen = set(rows[0]["versions"])
    for row in rows[1:]:
        if new := set(row["versions"]) - seen:
            axes.axvline(row["minute"], color=theme.ink, linestyle=":", linewidth=0.6)
            seen |= new
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("MiB")
