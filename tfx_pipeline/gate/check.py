"""One demand on a model: what was found, what was asked, what would have to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfx_pipeline.gate.config import GateConfig, reasons
from tfx_pipeline.gate.resampling import Estimate

ALL_LISTS = "all lists"
ABOVE, AT_LEAST, AT_MOST = ">", ">=", "<="
# Which number is held against the bound.
LOW, HIGH, VALUE = "low", "high", "value"

# Name of a check: how it is called, its format, its unit.
KINDS = {
    "loads": ("scored lists", ".3f", ""),
    "finite": ("share of lists with a score that is no number", ".4f", ""),
    "constant": ("share of lists with one score for all", ".4f", ""),
    "reads_labels": ("change of scores when labels are taken away", ".2g", ""),
    "ndcg": ("NDCG@10", ".4f", ""),
    "ndcg_plausible": ("NDCG@10 (plausibility)", ".4f", ""),
    "gain_over_initial": ("NDCG@10 gain over the initial order", "+.4f", ""),
    "gain_over_initial_plausible": (
        "NDCG@10 gain over the initial order (plausibility)",
        "+.4f",
        "",
    ),
    "gain_over_blessed": ("NDCG@10 gain over the last blessed model", "+.4f", ""),
    "gain_over_blessed_plausible": (
        "NDCG@10 gain over the last blessed model (plausibility)",
        "+.4f",
        "",
    ),
    "slice_gap": ("gap between the groups' gains in NDCG@10", ".4f", ""),
    "calibration": ("mean distance of predicted from observed clicks", ".4f", ""),
    "teacher_gap": ("NDCG@10 below the teacher's, on validation lists", "+.4f", ""),
    "teacher_correlation": ("rank correlation with the teacher", "+.3f", ""),
    "latency": ("99th percentile of the time for one list", ".1f", " ms"),
    "size": ("size of the SavedModel", ".1f", " MiB"),
    "served": ("signatures that answered on the model server", ".0f", ""),
    "served_scores": ("largest difference of a served score", ".2g", ""),
    "served_padding": ("largest change of a score beside longer lists", ".2g", ""),
    "served_order": ("largest change of a score when candidates move", ".2g", ""),
    "served_latency": ("99th percentile of a client's wait for one list", ".1f", " ms"),
    # Of the data, before a model is trained on it.
    "schema": ("anomalies against the schema", ".0f", ""),
    "drift": ("drift from the last blessed model's data", ".3f", ""),
    "skew": ("skew of training against test lists", ".3f", ""),
    "list_length": ("candidates a training list", ".2f", ""),
    "list_length_change": ("change of that number since before", ".3f", ""),
    "click_rate": ("share of clicked candidates a training list", ".4f", ""),
    "click_rate_change": ("change of that share since before", ".3f", ""),
    "unknown_share": ("share of test candidates never seen in training", ".3f", ""),
    "unknown_change": ("growth of that share since before", "+.3f", ""),
    "flat_share": ("share of training lists with one initial score", ".3f", ""),
    "lists_share": ("training lists, as a share of those before", ".3f", ""),
}


@dataclass(frozen=True)
class Check:
    """One demand and what became of it.

    Args:
        name: Of `KINDS`.
        group: Of which lists; `ALL_LISTS`, or `partition: label`.
        value: What was found; None where nothing was there to measure.
        interval: Its one-sided ends; None where it has none.
        bound: What it is held against.
        sign: How: `ABOVE`, `AT_LEAST` or `AT_MOST`.
        by: Which number is held against it: `LOW` or `HIGH` end, or the `VALUE`.
        margin: How far that number is on the right side; negative where it fails.
        passed: The verdict; None where nothing was decided.
        finding: All that in a sentence.
        reason: Why there is such a bound.
        remedy: What would have to change; empty where it passed.
    """

    name: str
    group: str
    value: float | None
    interval: tuple[float, float] | None
    bound: float
    sign: str
    by: str
    margin: float | None
    passed: bool | None
    finding: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Demand:
    """A bound, and how something is held against it.

    Args:
        name: Of `KINDS`.
        bound: The bound.
        reason: Why there is one.
        sign: `ABOVE`, `AT_LEAST` or `AT_MOST`.
        by: `LOW`, `HIGH` or `VALUE`.
        remedy: What to do about a failure.
    """

    name: str
    bound: float
    reason: str
    sign: str
    by: str
    remedy: str

    def check(self, found: Estimate | float, group: str = ALL_LISTS) -> Check:
        """Holds what was found against the bound; what is no number fails."""
        has_ends = isinstance(found, Estimate)
        value = found.value if has_ends else float(found)
        number = getattr(found, self.by) if has_ends else value
        away = self.bound - number if self.sign == AT_MOST else number - self.bound
        passed = bool(away > 0 if self.sign == ABOVE else away >= 0)
        return Check(
            self.name,
            group,
            value,
            (found.low, found.high) if has_ends else None,
            self.bound,
            self.sign,
            self.by,
            float(away),
            passed,
            self._finding(found, value, away, passed, group),
            self.reason,
            "" if passed else self.remedy,
        )

    def skipped(self, why: str, group: str = ALL_LISTS) -> Check:
        """The check where there is nothing to decide."""
        finding = f"{self._title(group)}: not judged, {why}"
        nothing = {"value": None, "interval": None, "margin": None, "passed": None}
        asked = {"bound": self.bound, "sign": self.sign, "by": self.by}
        said = {"finding": finding, "reason": self.reason, "remedy": ""}
        return Check(self.name, group, **nothing, **asked, **said)

    def _title(self, group: str) -> str:
        return KINDS[self.name][0] + ("" if group == ALL_LISTS else f" of {group}")

    def _finding(self, found, value, away, passed, group) -> str:
        _, form, unit = KINDS[self.name]
        text = f"{self._title(group)} is {value:{form}}{unit}"
        if isinstance(found, Estimate):
            text += f" ({found.low:{form}} to {found.high:{form}})"
        which = {LOW: "lower end", HIGH: "upper end", VALUE: "it"}[self.by]
        text += f"; {which} must be {self.sign} {self.bound:{form}}{unit}"
        verdict = "passed" if passed else "failed"
        return f"{text}: {verdict} by {abs(away):{form.lstrip('+')}}{unit}"


def configured(
    gate: GateConfig, field: str, name: str, sign: str, by: str, remedy: str = ""
) -> Demand:
    """The demand of a field of the configuration, with the reason it is there for."""
    return Demand(name, getattr(gate, field), reasons()[field], sign, by, remedy)


def all_passed(checks: Sequence[Check]) -> bool:
    """Whether something was decided, and nothing failed."""
    verdicts = [check.passed for check in checks]
    return True in verdicts and False not in verdicts
