"""The tables and plots of what methods cost, from the figures of `efficiency.json`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psad_tf.bench.efficiency_content import (
    BASES,
    INFERENCE,
    PAPER_NAMES,
    PAPER_SECONDS,
    PHASES,
    SHARE,
    TARGET_BATCH,
    TRAINING,
    paper_ratio,
)
from psad_tf.bench.report_sheets import Cell, Sheet, ranked
from psad_tf.bench.report_words import percent
from psad_tf.report_page.formats import NONE, count, number

Rows = Sequence[Mapping[str, Any]]
# What the paper's times are divided by beside ours.
BESIDE = {INFERENCE: "PRM", TRAINING: "Seq2Slate"}


def target_sheet(targets: Rows) -> Sheet:
    """What was to be reached, and whether it was."""
    rows = []
    for target in targets:
        met = {None: Cell("not measured", mark="soft")}
        met |= {True: Cell("yes", mark="good"), False: Cell("no", mark="bad")}
        ends = [number(target[end], 3) for end in ("p10", "p90")]
        rows.append(
            [
                target["what"],
                f"≤ {target['most']:g}",
                number(target["ratio"], 3),
                NONE if target["p10"] is None else " to ".join(ends),
                met[target["is_met"]],
                number(target["paper"], 3),
            ]
        )
    head = ["ratio", "target", "here", "10th to 90th percentile", "met", "the paper"]
    return Sheet("Targets", f"At batches of {TARGET_BATCH} lists.", head, rows)


def share_sheet(shares: Rows) -> Sheet:
    """What the student takes of a training step, at each number of lists."""
    lines = [[f"{row['batch']}", percent(row["share"])] for row in shares]
    caption = "1 less the median of the same step without the student over the whole's."
    return Sheet("Student's share of a training step", caption, ["lists", SHARE], lines)


def phase_sheets(rows: Rows) -> Iterator[Sheet]:
    """Times and ratios of each phase."""
    for phase in PHASES:
        found = [row for row in rows if row["phase"] == phase]
        if found:
            yield _times(phase, found)
            yield _ratios(phase, found)


def _table(rows: Rows) -> dict[str, dict[int, Mapping[str, Any]]]:
    """Method, as it stands in tables, to batch to row."""
    found = {}
    for row in rows:
        found.setdefault(title_of(row), {})[row["batch"]] = row
    return found


def title_of(row: Mapping[str, Any]) -> str:
    """The method, and whether it sees less than others."""
    return row["method"] + ("" if row["knows_history"] else " (without the history)")


def batches_of(rows: Rows) -> list[int]:
    """How many lists a call had, in rising order."""
    return sorted({row["batch"] for row in rows})


def _times(phase: str, rows: Rows) -> Sheet:
    table, batches = _table(rows), batches_of(rows)
    columns = []
    for batch in batches:
        cells = [of_method.get(batch) for of_method in table.values()]
        columns.append(_time_column(cells))
    last = [of_method[max(of_method)] for of_method in table.values()]
    columns.append([count(row["parameters"]) for row in last])
    columns.append([_flops(of.get(batches[-1])) for of in table.values()])
    columns.append([row["note"] for row in last])
    head = ["method", *(f"{batch} lists" for batch in batches)]
    head += ["parameters", f"GFLOPs at {batches[-1]} lists", "note"]
    return Sheet(
        phase.capitalize(),
        f"Milliseconds over {len(rows[0]['seconds'])} rounds.",
        head,
        [*map(list, zip(table, *columns, strict=True))],
        words=(0, len(head) - 1),
    )


def _time_column(rows) -> list[Cell | str]:
    medians = [None if row is None else round(1e3 * row["median"], 3) for row in rows]
    cells = []
    for row, median, mark in zip(rows, medians, ranked(medians, False), strict=True):
        if row is None:
            cells.append(NONE)
            continue
        low, high = (number(1e3 * row[end], 3) for end in ("p10", "p90"))
        cells.append(Cell(number(median, 3), f" ({low} to {high})", mark=mark))
    return cells


def _flops(row) -> str:
    known = row is not None and row["flops"] is not None
    return number(row["flops"] / 1e9, 3) if known else NONE


def _ratios(phase: str, rows: Rows) -> Sheet:
    table, batches = _table(rows), batches_of(rows)
    bases = [base for base in BASES if any(base in row["ratios"] for row in rows)]
    places = [(base, batch) for base in bases for batch in batches]
    lines = [
        [title, *(_ratio(of_method.get(batch), base) for base, batch in places)]
        for title, of_method in table.items()
    ]
    head = [
        "method",
        *(f"÷\N{NO-BREAK SPACE}{base}, {batch}" for base, batch in places),
    ]
    return Sheet(
        f"{phase.capitalize()}: ratios",
        "Medians divided by another method's, at so many lists each.",
        head,
        lines,
    )


def _ratio(row, base: str) -> str:
    known = row is not None and base in row["ratios"]
    return number(row["ratios"][base]["ratio"], 3) if known else NONE


def beside_paper(rows: Rows) -> dict[str, dict[str, tuple[float, float | None]]]:
    """Phase to method to the paper's ratio and ours, None where it is not measured."""
    found = {}
    for phase, base in BESIDE.items():
        here = {_key(row): row for row in rows if row["phase"] == phase}
        ours = {theirs: name for name, theirs in PAPER_NAMES.items()}
        found[phase] = {}
        for method in PAPER_SECONDS[phase]:
            names = method, ours.get(method, method)
            row = next((here[n] for n in names if n in here), None)
            ratio = row["ratios"].get(base) if row else None
            known = paper_ratio(method, phase, base), ratio and ratio["ratio"]
            found[phase][method] = known
    return found


def _key(row) -> str | None:
    return row["method"] if row["batch"] == TARGET_BATCH else None


def paper_sheet(rows: Rows) -> Sheet:
    """The paper's Table 3 beside ours, as ratios."""
    found = beside_paper(rows)
    head = ["method"]
    for phase, base in BESIDE.items():
        head += [f"{phase} ÷ {base}: the paper", "ours"]
    lines = []
    for method in PAPER_SECONDS[INFERENCE]:
        pairs = [number(x, 3) for phase in BESIDE for x in found[phase][method]]
        lines.append([method, *pairs])
    return Sheet(
        "The paper's ratios beside ours",
        f"At batches of {TARGET_BATCH} lists; the paper's are of Table 3. Its training "
        "step of PSAD-S is the joint one, which also trains PSAD-G.",
        head,
        lines,
    )
