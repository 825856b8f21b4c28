"""The data gate's verdicts on made-up facts, bound by bound."""

import json
from dataclasses import fields, replace

import pytest

from psad_tf.errors import ConfigError
from tfx_pipeline.data_gate.config import DataGateConfig
from tfx_pipeline.data_gate.found import Anomaly, Found, ListFacts
from tfx_pipeline.data_gate.judge import as_content, is_cold, judge
from tfx_pipeline.gate.config import reasons
from tfx_pipeline.gate.explain import explain

FACTS = ListFacts(1000, 20.0, 0.1, 0.0, 0.05)
SCORE = "candidate_initial_score"
GOOD = Found(
    FACTS,
    FACTS,
    [],
    {"user_gender": 0.02, "user_age": 0.1, SCORE: 0.1},
    {"user_gender": 0.02, "user_age": 0.1},
    {"user_gender"},
)
BOUNDS = DataGateConfig()


def failed(found, config=BOUNDS):
    """Name and group of each check that failed."""
    return [(c.name, c.group) for c in judge(found, config) if c.passed is False]


def lists(**changes):
    return replace(GOOD, facts=replace(FACTS, **changes))


def test_good_data_passes_every_check():
    checks = judge(GOOD, BOUNDS)
    assert [c.passed for c in checks] == [True] * len(checks)


@pytest.mark.parametrize(
    "found, name, group",
    [
        (lists(length=1.5), "list_length", "all lists"),
        (lists(length=13.9), "list_length_change", "all lists"),
        (lists(length=26.1), "list_length_change", "all lists"),
        (lists(click_rate=0.0), "click_rate", "all lists"),
        (lists(click_rate=0.95), "click_rate", "all lists"),
        (lists(click_rate=0.04), "click_rate_change", "all lists"),
        (lists(unknown_share=0.95), "unknown_share", "all lists"),
        (lists(unknown_share=0.26), "unknown_change", "all lists"),
        (lists(flat_share=0.6), "flat_share", "all lists"),
        (lists(lists=499), "lists_share", "all lists"),
        (replace(GOOD, drift={"user_gender": 0.31}), "drift", "user_gender"),
        (replace(GOOD, drift={"user_age": 0.71}), "drift", "user_age"),
        (replace(GOOD, drift={SCORE: 0.31}), "drift", SCORE),
        (replace(GOOD, skew={"user_gender": 0.51}), "skew", "user_gender"),
        (replace(GOOD, skew={SCORE: 0.81}), "skew", SCORE),
    ],
)
def test_each_bound_stops_what_is_beyond_it(found, name, group):
    assert (name, group) in failed(found)


@pytest.mark.parametrize(
    "found",
    [
        lists(length=14.1),
        lists(click_rate=0.0501),
        lists(unknown_share=0.249),
        lists(flat_share=0.5),
        lists(lists=500),
        replace(GOOD, drift={"user_age": 0.69}),
        replace(GOOD, skew={SCORE: 0.79}),
    ],
)
def test_no_bound_stops_what_is_within_it(found):
    assert failed(found) == []


def test_the_first_data_is_held_against_absolute_bounds_alone():
    first = replace(GOOD, before=None, drift={})
    skipped = {c.name for c in judge(first, BOUNDS) if c.passed is None}
    assert skipped == {
        "list_length_change",
        "click_rate_change",
        "unknown_change",
        "lists_share",
    }
    assert failed(replace(first, facts=replace(FACTS, lists=3))) == []
    assert failed(replace(first, facts=replace(FACTS, length=1.0))) != []


def test_no_initial_score_is_nothing_to_judge():
    (check,) = (c for c in judge(lists(flat_share=None), BOUNDS) if c.passed is None)
    assert check.name == "flat_share" and "no initial score" in check.finding


@pytest.mark.parametrize(
    "severity, found, stops",
    [
        ("ERROR", "ERROR", True),
        ("ERROR", "WARNING", False),
        ("WARNING", "WARNING", True),
        ("WARNING", "ERROR", True),
    ],
)
def test_anomalies_stop_by_their_severity(severity, found, stops):
    anomaly = Anomaly("test", "user_age", found, "Column dropped")
    data = replace(GOOD, anomalies=[anomaly])
    assert (failed(data, DataGateConfig(severity=severity)) != []) is stops


@pytest.mark.parametrize(
    "drift, cold",
    [
        ({}, False),
        ({"user_gender": 0.1, "user_age": 0.6}, False),
        ({"user_gender": 0.11}, True),
        ({"user_age": 0.61}, True),
    ],
)
def test_drift_that_does_not_stop_asks_for_a_cold_start(drift, cold):
    found = replace(GOOD, drift=drift)
    assert is_cold(found, BOUNDS) is cold
    assert failed(found) == []


def test_the_record_says_why_and_what_to_do():
    anomaly = Anomaly("test", "user_age", "ERROR", "Column dropped")
    found = replace(lists(click_rate=0.01), anomalies=[anomaly])
    content = as_content(found, BOUNDS, dataset="shop", spans="2")
    assert content == json.loads(json.dumps(content))
    text = " ".join(explain(content).split())
    assert "The gate refused the data: 2 of" in text
    assert "change of that share since before is 0.900; it must be <= 0.500" in text
    assert "raise max_click_rate_change in data_gate" in text
    assert "user_age (test): Column dropped" in text
    assert as_content(GOOD, BOUNDS)["passed"] is True


def test_every_bound_has_a_reason():
    told = reasons(DataGateConfig)
    assert set(told) == {field.name for field in fields(DataGateConfig)}
    # More than what it is: a second sentence.
    assert all(". " in reason for reason in told.values()), told


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"severity": "FATAL"}, "severity='FATAL' must be of WARNING, ERROR"),
        ({"max_text_drift": -0.1}, "max_text_drift=-0.1 must be at least 0"),
        ({"min_click_rate": "0"}, "min_click_rate='0' must be a number"),
        ({"max_flat_share": float("nan")}, "max_flat_share=nan must be"),
    ],
)
def test_wrong_bounds_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        DataGateConfig(**wrong)
