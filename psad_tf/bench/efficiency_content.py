"""What methods cost, in figures: what `efficiency.json` holds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from psad_tf.bench import paper_figures
from psad_tf.bench.report_run import Run
from psad_tf.errors import InputError
from psad_tf.report_page.record import plain

INFERENCE, TRAINING, SHARE = "inference", "training step", "student's share"
PHASES = (INFERENCE, TRAINING)
# The step that trains generator and scorer at once; the paper's name for it is PSAD-S.
JOINT = "PSAD"
PAPER_NAMES = {JOINT: "PSAD-S"}
BASES = ("PRM", "NAR4Rec", "Seq2Slate")
PAPER_SECONDS = {
    INFERENCE: paper_figures.INFERENCE_SECONDS,
    TRAINING: paper_figures.TRAINING_SECONDS,
}
TARGET_BATCH = 256
MAX_SHARE = 0.04


@dataclass(frozen=True)
class Target:
    """A ratio that is not to be exceeded at the batch of `TARGET_BATCH`.

    Args:
        method: Whose time.
        phase: Of what.
        base: Whose time it is divided by.
        most: The highest ratio that is good enough.
    """

    method: str
    phase: str
    base: str
    most: float


TARGETS = (
    Target("PSAD-S", INFERENCE, "PRM", 1.0),
    Target("PSAD-S", INFERENCE, "NAR4Rec", 0.5),
    Target("PSAD-S", INFERENCE, "Seq2Slate", 0.25),
    Target(JOINT, TRAINING, "Seq2Slate", 0.55),
)


def content_of(measured: Sequence[Mapping[str, Any]], run: Run) -> dict[str, Any]:
    """Everything that the tables are made from, as plain values.

    Args:
        measured: As for `write_efficiency`.
        run: How the rows came about.

    Returns:
        `run`; `rows`, as given with `median`, `p10`, `p90` (seconds) and `ratios` (base
        to `ratio`, `p10`, `p90`); `shares`, the rows of the student's share; and
        `targets`, each with its `ratio` (None where it was not measured), `is_met` and
        the paper's ratio.

    Raises:
        InputError: A row is there twice, is of no known phase, or its rounds are not
            those of the others.
    """
    rows = [dict(row) for row in measured if row["phase"] in PHASES]
    shares = [dict(row) for row in measured if row["phase"] == SHARE]
    _check(measured, rows)
    found = {_key(row): row for row in rows}
    for row in rows:
        row["seconds"] = np.round(row["seconds"], 9).tolist()
        row["median"], row["p10"], row["p90"] = _spread(row["seconds"])
        bases = {b: found.get((b, row["phase"], row["batch"])) for b in BASES}
        row["ratios"] = {
            name: _ratio(row, base) for name, base in bases.items() if base is not None
        }
    targets = [_reached(target, found) for target in TARGETS]
    targets.append(_share_reached(shares))
    return plain({"run": run, "rows": rows, "shares": shares, "targets": targets})


def paper_ratio(method: str, phase: str, base: str) -> float | None:
    """The paper's ratio at its batch of 256; None for methods that it has not."""
    seconds, name = PAPER_SECONDS[phase], PAPER_NAMES.get(method, method)
    if name not in seconds:
        return None
    return paper_figures.seconds_ratio(seconds, name, base)


def paper_share() -> float:
    """The student's share of the paper's training step at its batch of 256."""
    seconds = PAPER_SECONDS[TRAINING]
    return 1 - paper_figures.seconds_ratio(seconds, "PSAD-G", "PSAD-S")


def _key(row) -> tuple[str, str, int]:
    return row["method"], row["phase"], row["batch"]


def _check(measured, rows) -> None:
    if not rows:
        raise InputError("nothing was timed; run `psad bench efficiency` first")
    keys = [_key(row) for row in measured]
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise InputError(f"{key} is there twice; delete one of the rows")
        if key[1] not in (*PHASES, SHARE):
            raise InputError(f"{key}: the phase must be one of {(*PHASES, SHARE)}")
    by_rounds = defaultdict(list)
    for row in rows:
        by_rounds[len(row["seconds"])].append(_key(row))
        if not np.all(np.asarray(row["seconds"]) > 0):
            raise InputError(f"{_key(row)}: seconds={row['seconds']}; all must be > 0")
    if len(by_rounds) > 1 or 0 in by_rounds:
        firsts = {rounds: keys[0] for rounds, keys in by_rounds.items()}
        raise InputError(
            f"rounds differ or are none: {firsts}; time all programs in every round of "
            "one run"
        )


def _spread(values) -> list[float]:
    return np.quantile(values, [0.5, 0.1, 0.9]).tolist()


def _ratio(row, base) -> dict[str, float]:
    ours, theirs = row["seconds"], base["seconds"]
    _, low, high = _spread(np.divide(ours, theirs))
    return {"ratio": np.median(ours) / np.median(theirs), "p10": low, "p90": high}


def _reached(target: Target, found) -> dict[str, Any]:
    row = found.get((target.method, target.phase, TARGET_BATCH))
    ratio = row["ratios"].get(target.base) if row else None
    return {
        "what": f"{target.method} {target.phase} ÷ {target.base}",
        "most": target.most,
        "is_met": None if ratio is None else bool(ratio["ratio"] <= target.most),
        "paper": paper_ratio(target.method, target.phase, target.base),
        **(ratio or dict.fromkeys(("ratio", "p10", "p90"))),
    }


def _share_reached(shares) -> dict[str, Any]:
    found = [row["share"] for row in shares if row["batch"] == TARGET_BATCH]
    share = found[0] if found else None
    return {
        "what": f"{SHARE} of a {JOINT} {TRAINING}",
        "most": MAX_SHARE,
        "is_met": None if share is None else bool(share <= MAX_SHARE),
        "paper": paper_share(),
        "ratio": share,
        "p10": None,
        "p90": None,
    }
