"""Holds what is known of a run's data against the bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from psad_tf.features import INITIAL_SCORE
from tfx_pipeline.data_gate.config import SEVERITIES, DataGateConfig
from tfx_pipeline.data_gate.found import Found, ListFacts
from tfx_pipeline.gate.check import AT_LEAST, AT_MOST, VALUE, Check, Demand, all_passed
from tfx_pipeline.gate.config import reasons

NO_BEFORE = "there is no blessed model whose data it could be compared with"
NO_SCORE = "the data set has no initial score"
_LOG = "look at what changed in the log, and mend it there"
_REAL = (
    "mend the log; if the change is real, raise {field} in data_gate for this run, and "
    "the next one compares with the new data"
)


def judge(found: Found, config: DataGateConfig) -> list[Check]:
    """Every check: those of all lists, then one a feature."""
    return [
        *_of_schema(found, config),
        *_of_lists(found.facts, config),
        *_since_before(found, config),
        *_of_features("drift", found.drift, found.texts, config),
        *_of_features("skew", found.skew, found.texts, config),
    ]


def is_cold(found: Found, config: DataGateConfig) -> bool:
    """Whether the data drifted too far for a training to begin from old weights."""
    bounds = {True: config.cold_text_drift, False: config.cold_number_drift}
    return any(v > bounds[n in found.texts] for n, v in found.drift.items())


def as_content(found: Found, config: DataGateConfig, **about: Any) -> dict[str, Any]:
    """The content of `data_gate.json`; `gate explain` reads it as a `gate.json`.

    Args:
        found: What is known.
        config: The bounds.
        about: What else is to be kept, by name.
    """
    checks = judge(found, config)
    return {
        "of": "data",
        "passed": all_passed(checks),
        "measured": False,
        "lists": found.facts.lists,
        "cold": is_cold(found, config),
        "facts": asdict(found.facts),
        "anomalies": [asdict(anomaly) for anomaly in found.anomalies],
        **about,
        "checks": [asdict(check) for check in checks],
    }


def _demand(
    config: DataGateConfig, field: str, name: str, sign: str, remedy: str = _LOG
) -> Demand:
    reason = reasons(DataGateConfig)[field]
    remedy = remedy.format(field=field)
    return Demand(name, getattr(config, field), reason, sign, VALUE, remedy)


def _of_schema(found: Found, config: DataGateConfig) -> Iterator[Check]:
    least = SEVERITIES.index(config.severity)
    stopping = [a for a in found.anomalies if SEVERITIES.index(a.severity) >= least]
    told = "; ".join(f"{a.feature or 'lists'} ({a.split}): {a.what}" for a in stopping)
    reason = reasons(DataGateConfig)["severity"]
    remedy = f"mend the log, or the schema where it is wrong: {told}"
    yield Demand("schema", 0, reason, AT_MOST, VALUE, remedy).check(len(stopping))


def _of_lists(facts: ListFacts, config: DataGateConfig) -> Iterator[Check]:
    for field, name, sign, value in (
        ("min_list_length", "list_length", AT_LEAST, facts.length),
        ("min_click_rate", "click_rate", AT_LEAST, facts.click_rate),
        ("max_click_rate", "click_rate", AT_MOST, facts.click_rate),
        ("max_unknown_share", "unknown_share", AT_MOST, facts.unknown_share),
    ):
        yield _demand(config, field, name, sign).check(value)
    flat = _demand(config, "max_flat_share", "flat_share", AT_MOST)
    if facts.flat_share is None:
        yield flat.skipped(NO_SCORE)
    else:
        yield flat.check(facts.flat_share)


def _since_before(found: Found, config: DataGateConfig) -> Iterator[Check]:
    now, before = found.facts, found.before
    demands = [
        _demand(config, f"{end}_{name}", name, sign, _REAL)
        for end, name, sign in (
            ("max", "list_length_change", AT_MOST),
            ("max", "click_rate_change", AT_MOST),
            ("max", "unknown_change", AT_MOST),
            ("min", "lists_share", AT_LEAST),
        )
    ]
    if before is None:
        yield from (demand.skipped(NO_BEFORE) for demand in demands)
        return
    values = (
        change(now.length, before.length),
        change(now.click_rate, before.click_rate),
        now.unknown_share - before.unknown_share,
        now.lists / before.lists,
    )
    for demand, value in zip(demands, values, strict=True):
        yield demand.check(value)


def change(now: float, before: float) -> float:
    """By which share a number differs.

    >>> change(3.0, 4.0)
    0.25
    """
    return abs(now - before) / before if before else float(now != before)


def _of_features(
    name: str, measured: Mapping[str, float], texts: set[str], config: DataGateConfig
) -> Iterator[Check]:
    for feature, value in sorted(measured.items()):
        kind = "text" if feature in texts else "number"
        if name == "drift" and feature == f"candidate_{INITIAL_SCORE}":
            kind = INITIAL_SCORE
        field = f"max_{kind}_{name}"
        yield _demand(config, field, name, AT_MOST, _REAL).check(value, feature)
