"""Three days in a row: a good one, a degraded one, and a good one again."""

import json
from dataclasses import dataclass

import pytest
from pipeline_runs import OPEN_GATE, arguments, recorded_runs, store_names

from psad_tf import cli

pytestmark = pytest.mark.e2e

SETTINGS = {
    "model": {
        "hidden_dim": 8,
        "num_layers": 1,
        "block_size": 5,
        "refine_size": 0,
        "beam_width": 1,
    },
    "training": {"epochs": 1},
    # One epoch on some hundred lists proves no gain; the data is the matter here.
    "gate": OPEN_GATE | {"serving_lists": 1, "resamples": 1000},
}
# Lists without a click are not stored: a base of -9 instead of -4 leaves one list in
# four. The third day has new users.
WORLDS = {1: {"users": 120}, 2: {"users": 120, "base": -9.0}, 3: {"users": 130}}


@dataclass(frozen=True)
class Day:
    """What a run on one span left: exit code, states, versions, `psad gate explain`."""

    code: int
    states: dict[str, str]
    versions: list[str]
    explained: str
    metrics: dict


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("spans") / "root"


@pytest.fixture(scope="module")
def days(root):
    raw = root.parent / "raw"
    for number, world in WORLDS.items():
        (raw / f"span-{number}").mkdir(parents=True)
        (raw / f"span-{number}" / "world.json").write_text(
            json.dumps({"items": 60, "lists_per_user": 8.0, **world})
        )
    return {number: _run(root, raw, number) for number in WORLDS}


def _run(root, raw, span) -> Day:
    from tfx_pipeline.gate.explain import explain
    from tfx_pipeline.gate.record import read_record

    flags = ["--dataset", "click-world", "--raw", str(raw), "--span", str(span)]
    code = cli.main(arguments(root, SETTINGS, *flags))
    recorded = recorded_runs(root)[-1]
    return Day(
        code,
        {name: found.state for name, found in recorded.items()},
        [name for name in store_names(root) if name.isdigit()],
        " ".join(explain(read_record(root)).split()),
        json.loads((root / "report" / "latest" / "metrics.json").read_text()),
    )


def test_the_good_days_are_served_and_the_degraded_one_is_not(days):
    assert [day.code for day in days.values()] == [0, cli.REFUSED, 0]
    assert [len(day.versions) for day in days.values()] == [1, 1, 2]
    assert days[1].versions == days[2].versions == days[3].versions[:1]


def test_nothing_is_trained_on_refused_data(days):
    assert days[2].states["DataGate"] == "FAILED"
    assert not {"Transform", "Trainer", "StorePusher"} & set(days[2].states)


def test_the_refusal_is_explained(days, root):
    explained = days[2].explained
    assert "The gate refused the data" in explained
    assert "as a share of those before is 0.273; it must be >= 0.500" in explained
    assert "A log that ends at noon is complete in each of its lines." in explained
    decision = days[2].metrics["decision"]
    assert decision["pushed"] is False
    assert decision["sentence"].startswith("Not trained: the data gate refused")


def test_the_third_day_is_compared_with_the_first(days):
    gate = days[3].metrics["data"]["gate"]
    assert (gate["compared_with"], gate["spans"]) == (days[1].versions[0], "3")
    assert gate["passed"] and not gate["cold"]
    drift = [c for c in gate["checks"] if c["name"] == "drift"]
    assert {"user_gender", "candidate_initial_score"} <= {c["group"] for c in drift}
    assert all(c["passed"] for c in drift)


def starts(root):
    files = (root / "artifacts" / "Trainer" / "model_run").glob("*/warm_start.json")
    found = sorted(files, key=lambda file: int(file.parent.name))
    return [json.loads(file.read_text()) for file in found]


def test_the_third_day_begins_from_the_weights_of_the_first(days, root):
    cold, warm = starts(root)
    assert cold["version"] is None and "no blessed model" in cold["cold"]
    assert (warm["version"], warm["cold"]) == (days[1].versions[0], "")
    # There are new users; the items of the first day are offered again.
    assert warm["new"]["user"] > 0 and warm["known"]["user"] > 50
    assert warm["known"]["item"] > warm["new"]["item"]


def test_lineage_names_the_span(days, root):
    from tfx_pipeline.lineage.facts import facts
    from tfx_pipeline.lineage.metadata import read_metadata
    from tfx_pipeline.lineage.trace import trace

    metadata = read_metadata(root)
    for number, version in zip((1, 3), days[3].versions, strict=True):
        known = facts(trace(metadata, root, version))
        (span,) = known["data"]["spans"].values()
        assert span == {"spans": str(number)}
        components = [step["component"] for step in known["steps"]]
        assert {"DataGate", "WarmStart", "Report"} <= set(components)
