"""The model card: written once, beside the version, with what speaks against it too."""

import json

import pytest
from gate_records import CHECKS

from tfx_pipeline import model_store
from tfx_pipeline.gate.record import as_record
from tfx_pipeline.report.card import weak_groups, write_card

MEANS = {"served": {"mean": 0.82}, "initial": {"mean": 0.77}}


def interval(mean, low, high):
    return {"mean": mean, "low": low, "high": high}


def group(label, lists, gain):
    gains = {"initial": gain} if lists else {}
    return {"partition": "age_group", "label": label, "lists": lists, "gains": gains}


def summary(store, **decision):
    pushed = {"pushed": True, "version": "17", "destination": str(store / "17")}
    gain = interval(0.05, 0.04, 0.06)
    return {
        "decision": pushed | decision,
        "created": "today",
        "dataset": "movielens_100k",
        "model": {"version": "0.1.0", "model": {"list_length": 20}},
        "settings": {"root": "/runs/a", "seed": 3},
        "data": {
            "is_simulated": False,
            "cuts": {"train_end": "1998-01-01"},
            "lists": {"train": 5},
            "files": {},
        },
        "training": {"validation": {"student_ndcg_at_10": 0.8}},
        "test": {
            "lists": 716,
            "overall": {"ndcg_at_10": {"means": MEANS, "gains": {"initial": gain}}},
            "slices": [group("0-24", 80, interval(0.03, -0.01, 0.07))],
            "cold_start": [group("50+", 90, gain), group("none", 0, None)],
        },
        "gate": as_record(CHECKS, lists=716),
        "serving_check": {"reason": "every answer agrees"},
        "versions": {"python": "3.11"},
    }


def test_the_card_lies_beside_the_version_and_not_in_it(tmp_path):
    (tmp_path / "17").mkdir()
    (tmp_path / "17" / "saved_model.pb").write_bytes(b"graph")
    page = write_card(summary(tmp_path))
    assert page == tmp_path / "cards" / "17.html"
    assert [p.name for p in (tmp_path / "17").iterdir()] == ["saved_model.pb"]
    assert model_store.versions(tmp_path) == [17]
    card = json.loads(page.with_suffix(".json").read_text())
    assert (card["version"], card["root"]) == ("17", "/runs/a")
    assert card["gate"]["checks"][0]["name"] == "gain_over_initial"
    assert "at most 20 candidates" in card["misuse"]


def test_the_page_says_where_no_gain_is_sure(tmp_path):
    page = write_card(summary(tmp_path)).read_text()
    assert "age group: 0-24" in page and "age group: 50+" not in page
    assert "psad lineage 17 --root /runs/a" in page
    assert "+0.0500" in page and "It must help." in page
    assert "Not a first stage" in page


@pytest.mark.parametrize("low, is_weak", [(-0.01, True), (0.0, True), (0.001, False)])
def test_a_gain_is_sure_above_zero_alone(low, is_weak):
    found = weak_groups([group("a", 9, interval(0.01, low, 0.02))])
    assert bool(found) is is_weak


def test_a_repeated_push_leaves_the_card(tmp_path):
    page = write_card(summary(tmp_path))
    first = page.read_text()
    assert write_card(summary(tmp_path) | {"created": "tomorrow"}) == page
    assert page.read_text() == first
    assert sorted(p.name for p in page.parent.iterdir()) == ["17.html", "17.json"]


def test_what_was_not_pushed_has_no_card(tmp_path):
    assert write_card(summary(tmp_path, pushed=False)) is None
    assert list(tmp_path.iterdir()) == []
