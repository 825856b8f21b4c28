"""The gate's decision as lines for a terminal, from `gate.json` alone."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfx_pipeline.gate.check import ALL_LISTS, KINDS

_MARKS = {True: "passed", False: "FAILED", None: "  -   "}
_WIDTH = 88


def explain(record: Mapping[str, Any], every: bool = False) -> str:
    """What was found, what was asked, and for what failed what would have to change.

    Args:
        record: The content of `gate.json`.
        every: Also tell each group that passed or was not judged.
    """
    checks = record["checks"]
    failed = [c for c in checks if c["passed"] is False]
    lines = [headline(record), "", *findings(record, every)]
    if failed:
        lines += ["", "What would have to change:"]
        for check in failed:
            lines += [*_wrapped(check["finding"].partition(";")[0], "* ")]
            lines += _wrapped(f"why asked: {check['reason']}", "    ")
            lines += _wrapped(f"remedy: {check['remedy']}", "    ")
    return "\n".join(lines)


def findings(record: Mapping[str, Any], every: bool = False) -> list[str]:
    """A line for each check, passed groups in brief if not `every`."""
    checks = record["checks"]
    told = [
        f"{_MARKS[check['passed']]}  {check['finding']}"
        for check in checks
        if every or check["passed"] is False or check["group"] == ALL_LISTS
    ]
    return told if every else [*told, *_groups_in_brief(checks)]


def headline(record: Mapping[str, Any]) -> str:
    """The verdict in one line."""
    verdicts = [check["passed"] for check in record["checks"]]
    failed, decided = verdicts.count(False), len(verdicts) - verdicts.count(None)
    verdict = "passed" if record["passed"] else "refused"
    judged = record.get("of", "model")
    return (
        f"The gate {verdict} the {judged}: {failed} of {decided} checks failed, "
        f"{verdicts.count(None)} had nothing to judge."
    )


def check_title(check: Mapping[str, Any]) -> str:
    """What a check looks at, and of which lists."""
    title = KINDS[check["name"]][0]
    return title if check["group"] == ALL_LISTS else f"{check['group']}: {title}"


def figure(check: Mapping[str, Any], value: float | None) -> str:
    """A number in the units of a check; a dash where there is none."""
    _, form, unit = KINDS[check["name"]]
    return "–" if value is None else f"{value:{form}}{unit}".replace("-", "−")


def nearest(checks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of the groups' checks that passed, the one with the least room."""
    passed = [c for c in checks if c["passed"] and c["group"] != ALL_LISTS]
    return min(passed, key=lambda c: c["margin"], default=None)


def _groups_in_brief(checks) -> Iterator[str]:
    groups = [c for c in checks if c["group"] != ALL_LISTS]
    verdicts = [c["passed"] for c in groups]
    if True in verdicts:
        yield (
            f"passed  groups: {verdicts.count(True)} checks; nearest to its bound: "
            f"{nearest(checks)['finding']}"
        )
    if None in verdicts:
        yield f"  -     groups: {verdicts.count(None)} checks had too few test lists"


def _wrapped(text: str, lead: str) -> list[str]:
    rest = " " * len(lead)
    return textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=rest)
