"""What `psad model latency` writes: the figures, a table and a plot."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path

from psad_tf.data.atomic import atomic_folder
from psad_tf.export_latency import Latency
from psad_tf.report_page.record import plain, versions
from psad_tf.report_page.style import picture

JSON, PLOT = "latency.json", "latency.svg"
PACKAGES = ("psad-tf", "tensorflow", "keras")


def write_latency(rows: Sequence[Latency], folder: Path) -> None:
    """Writes `latency.json` and `latency.svg`.

    Args:
        rows: From `measure`.
        folder: An earlier report in it is replaced.

    Raises:
        DataError: The folder holds something else.
    """
    content = {"cores": os.cpu_count(), "versions": versions(PACKAGES), "rows": rows}
    drawn = picture(
        _draw, rows, title="Latency", caption="By requests in flight.", height=4.6
    )
    with atomic_folder(Path(folder), JSON) as new:
        text = json.dumps(plain(content), indent=1)
        (new / JSON).write_text(text + "\n", encoding="utf-8")
        (new / PLOT).write_bytes(base64.b64decode(drawn.light.partition(",")[2]))


def table(rows: Sequence[Latency]) -> str:
    """The figures as Markdown."""
    lines = [
        "| model | batching | in flight | lists/s | p50 ms | p99 ms | shed |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {Path(row.model).name} | {_batching(row)} | {row.in_flight} "
            f"| {row.lists_per_second:,.0f} | {row.p50:.2f} | {row.p99:.2f} "
            f"| {row.shed} |"
        )
    return "\n".join(lines)


def _batching(row: Latency) -> str:
    return "yes" if row.serving.get("batching") else "no"


def _draw(figure, theme, rows) -> None:
    """Lists a second above, latency below, a line for each model."""
    above, below = figure.subplots(2, 1, sharex=True)
    for number, model in enumerate(dict.fromkeys(row.model for row in rows)):
        of_model = sorted(
            (row for row in rows if row.model == model), key=lambda row: row.in_flight
        )
        in_flight = [row.in_flight for row in of_model]
        # The first colour is that of text.
        color = theme.parts[1 + number % (len(theme.parts) - 1)]
        speed = [row.lists_per_second for row in of_model]
        above.plot(in_flight, speed, "o-", color=color, label=Path(model).name)
        for name, line in (("p50", "o-"), ("p99", "o:")):
            values = [getattr(row, name) for row in of_model]
            below.plot(in_flight, values, line, color=color)
    above.set_ylabel("lists a second")
    above.set_ylim(bottom=0)
    above.legend()
    below.set_xlabel("requests in flight")
    below.set_ylabel("ms: p50 –, p99 ··")
    below.set_xscale("log", base=2)
    below.set_yscale("log")
    below.set_xticks([*dict.fromkeys(row.in_flight for row in rows)])
    below.xaxis.set_major_formatter("{x:.0f}")
