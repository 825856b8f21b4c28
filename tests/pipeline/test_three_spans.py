"""Three days in a row: a good one, one whose log ends too early, and a good one again,
read together with what came late of the second. Then the third is delivered anew."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np
import pytest
from pipeline_runs import (
    COMPONENTS,
    OPEN_DATA_GATE,
    OPEN_GATE,
    Recorded,
    arguments,
    recorded_runs,
    store_names,
)
from quick_graphs import quick_graphs
from shop_logs_of_docs import PAGES, pages, write_package, write_span

from psad_tf import cli

pytestmark = pytest.mark.e2e

BATCH = 64
SETTINGS = {
    "model": {
        "hidden_dim": 8,
        "num_layers": 1,
        "block_size": 5,
        "refine_size": 0,
        "beam_width": 1,
    },
    "training": {"epochs": 1, "batch_size": BATCH},
    # One epoch on some hundred lists proves no gain; the data is the matter here.
    "gate": OPEN_GATE | {"serving_lists": 1},
    "data_gate": OPEN_DATA_GATE,
}
IN_TIME = PAGES // 4  # of the second day
SPLITS = "train", "validation", "test"


@dataclass(frozen=True)
class Day:
    """What a run left: exit code, what it said, versions, `psad gate explain`."""

    code: int
    said: str
    recorded: dict[str, Recorded]
    versions: list[str]
    explained: str
    metrics: dict

    def states(self) -> dict[str, str]:
        return {name: found.state for name, found in self.recorded.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("spans") / "root"


@pytest.fixture(scope="module")
def installed(root):
    """The data set of the package in docs/raw_logs.md."""
    package = write_package(root.parent / "shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(package.parent))
        with redirect_stdout(io.StringIO()) as schema:
            assert cli.main(["data", "schema", "--dataset", "shop"]) == 0
        (package / "shop.pbtxt").write_text(schema.getvalue())
        yield
    for name in [n for n in sys.modules if n.partition(".")[0] == "shop_logs"]:
        del sys.modules[name]  # other tests install another copy


@pytest.fixture(scope="module")
def days(installed, root):
    raw, second = root.parent / "raw", pages(2)
    # Two days: within one, no item has impressions of a day before.
    write_span(raw / "span-1", [*pages(0), *pages(1)])
    write_span(raw / "span-2", second[:IN_TIME])
    runs = {1: _run(root, raw, 1), 2: _run(root, raw, 2)}
    write_span(raw / "span-2", second[IN_TIME:], part=".late")
    for span in (3, 4):
        write_span(raw / f"span-{span}", pages(3))
    return runs | {3: _run(root, raw, 3, 2), 4: _run(root, raw, 4, 3)}


def _run(root, raw, span, window=1) -> Day:
    from tfx_pipeline.gate.explain import explain
    from tfx_pipeline.gate.record import read_record

    flags = ["--dataset", "shop", "--raw", str(raw), "--span", str(span)]
    flags += ["--window", str(window)]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), quick_graphs():
        code = cli.main(arguments(root, SETTINGS, *flags))
    return Day(
        code,
        said.getvalue(),
        recorded_runs(root)[-1],
        [name for name in store_names(root) if name.isdigit()],
        " ".join(explain(read_record(root)).split()),
        json.loads((root / "report" / "latest" / "metrics.json").read_text()),
    )


def test_the_good_days_are_served_and_the_degraded_one_is_not(days):
    assert [days[n].code for n in (1, 2, 3)] == [0, cli.REFUSED, 0]
    assert [len(days[n].versions) for n in (1, 2, 3)] == [1, 1, 2]
    assert days[1].versions == days[2].versions == days[3].versions[:1]


def test_nothing_is_trained_on_refused_data(days):
    states = days[2].states()
    assert states["DataGate"] == "FAILED"
    assert not {"Transform", "Trainer", "StorePusher"} & set(states)


def test_the_refusal_is_explained(days):
    explained = days[2].explained
    assert "The gate refused the data" in explained
    assert "as a share of those before is 0.125; it must be >= 0.500" in explained
    assert "A log that ends at noon is complete in each of its lines." in explained
    decision = days[2].metrics["decision"]
    assert decision["pushed"] is False
    assert decision["sentence"].startswith("Not trained: the data gate refused")


def counts(day) -> dict[str, int]:
    folder = day.recorded["ListExampleGen"].folder("examples")
    return json.loads((folder / "counts.json").read_text())


def examples(day, component, output, splits=SPLITS) -> dict[str, list]:
    """The examples of some splits, parsed."""
    import tensorflow as tf

    folder = day.recorded[component].folder(output)
    return {
        split: [
            tf.train.Example.FromString(one)
            for one in tf.data.TFRecordDataset(
                [*map(str, (folder / f"Split-{split}").iterdir())], "GZIP"
            ).as_numpy_iterator()
        ]
        for split in splits
    }


def values(example, name) -> list[str]:
    found = example.features.feature[name].bytes_list.value
    return [one.decode() for one in found]


def test_a_window_is_one_log_of_both_spans_and_of_what_came_late(days):
    """Each page once, under a history that goes across the spans."""
    found = examples(days[3], "ListExampleGen", "examples")
    window = [*pages(2), *pages(3)]
    past: dict[str, list[str]] = {}
    expected = []
    for page in window:
        expected.append((page.user, page.items, sorted(past.get(page.user, []))))
        past.setdefault(page.user, []).extend(page.clicked())
    stored = [
        (
            values(one, "user_id")[0],
            values(one, "candidate_item_id"),
            sorted(values(one, "history_item_id")),
        )
        for split in found.values()
        for one in split
    ]
    assert sorted(stored) == sorted(expected)


def test_the_examples_of_both_spans_reach_transform_and_trainer(days):
    sizes = dict(zip(SPLITS, (8 * PAGES // 5, PAGES // 5, PAGES // 5), strict=True))
    counted = counts(days[3])
    assert {split: counted[f"lists/{split}"] for split in SPLITS} == sizes
    asked = days[3], "Transform", "transformed_examples", SPLITS[:2]
    for split, transformed in examples(*asked).items():
        assert len(transformed) == sizes[split]
    steps = sizes["train"] // BATCH
    assert f"epoch 1/1, step {steps}/{steps}: " in days[3].said
    run = days[3].recorded["Trainer"].folder("model_run")
    with np.load(run / "teacher.npz") as by_list:
        assert len(by_list["student"]) == sizes["validation"]


def test_a_span_delivered_twice_makes_no_duplicates(days):
    again = days[4]
    assert "span-4 holds the very files of span-3: read once" in again.said
    assert counts(again) == counts(days[3])


def test_the_same_again_takes_all_but_the_comparison_from_the_run_before(days):
    # What is served is another version by now; the rest is as it was.
    looking = {"LastBlessed", "GatedEvaluator", "StorePusher", "KeepOrigin", "Report"}
    states = dict.fromkeys(COMPONENTS, "CACHED") | dict.fromkeys(looking, "COMPLETE")
    assert days[4].states() == states


def test_the_same_again_is_compared_with_the_pushed_one(days):
    pushed = days[3].versions[-1]
    baseline = days[4].recorded["LastBlessed"].outputs["model"].custom_properties
    assert baseline["version"].string_value == pushed
    gate = days[4].metrics["gate"]
    assert gate["blessed_version"] == pushed and gate["passed"]
    (check,) = (
        c
        for c in gate["checks"]
        if c["name"] == "gain_over_blessed" and c["group"] == "all lists"
    )
    assert check["passed"] is None and "the very model" in check["finding"]


def test_the_same_model_is_not_pushed_again(days):
    assert (days[4].code, days[4].versions) == (0, days[3].versions)
    assert days[4].metrics["decision"]["version"] == days[3].versions[-1]


def test_the_third_day_is_compared_with_the_first(days):
    gate = days[3].metrics["data"]["gate"]
    assert (gate["compared_with"], gate["spans"]) == (days[1].versions[0], "2,3")
    assert gate["passed"] and not gate["cold"]
    drift = [c for c in gate["checks"] if c["name"] == "drift"]
    groups = {c["group"] for c in drift}
    assert {"candidate_kind", "candidate_initial_score"} <= groups
    assert all(c["passed"] for c in drift)


def starts(root):
    files = (root / "artifacts" / "Trainer" / "model_run").glob("*/warm_start.json")
    found = sorted(files, key=lambda file: int(file.parent.name))
    return [json.loads(file.read_text()) for file in found]


def test_the_third_day_begins_from_the_weights_of_the_first(days, root):
    cold, warm = starts(root)
    assert cold["version"] is None and "no blessed model" in cold["cold"]
    assert (warm["version"], warm["cold"]) == (days[1].versions[0], "")
    # Some users are seen often enough only now; the items are those of the first day.
    assert warm["new"]["user"] > 0 and warm["known"]["user"] > 30
    assert warm["known"]["item"] > warm["new"]["item"]


def test_lineage_names_the_spans(days, root):
    from tfx_pipeline.lineage.facts import facts
    from tfx_pipeline.lineage.metadata import read_metadata
    from tfx_pipeline.lineage.trace import trace

    metadata = read_metadata(root)
    for spans, version in zip(("1", "2,3"), days[3].versions, strict=True):
        known = facts(trace(metadata, root, version))
        (span,) = known["data"]["spans"].values()
        assert span == {"spans": spans}
        components = [step["component"] for step in known["steps"]]
        assert {"DataGate", "WarmStart", "Report"} <= set(components)
