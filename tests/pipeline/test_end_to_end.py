"""The whole pipeline on the real MovieLens-100K: what it leaves."""

import hashlib
import json
import math

import numpy as np
import pytest
from pipeline_runs import COMPONENTS, serialized

from psad_tf.feature_sets import MOVIELENS_100K

pytestmark = pytest.mark.e2e

SPLITS = ("train", "validation", "test")


def test_every_component_succeeds_and_the_model_is_pushed(first_run):
    assert first_run.states() == dict.fromkeys(COMPONENTS, "COMPLETE")
    assert first_run.code == 0
    assert len(first_run.versions) == 1


def test_the_splits_follow_one_another_in_time_and_share_no_list(lists):
    spans = [[x.timestamp for x in lists[split]] for split in SPLITS]
    for earlier, later in zip(spans, spans[1:], strict=False):
        assert max(earlier) < min(later)
    ids = [x.request_id for split in SPLITS for x in lists[split]]
    assert len(ids) == len(set(ids))
    # Of the lists, half are for training and a tenth each for the other two.
    assert len(lists["train"]) > 3 * len(lists["validation"]) > 0
    assert len(lists["test"]) > 500


def test_the_counts_are_those_of_the_files(first_run, lists):
    folder = first_run.components["ListExampleGen"].folder("examples")
    counts = json.loads((folder / "counts.json").read_text())
    assert {s: counts[f"lists/{s}"] for s in SPLITS} == {
        s: len(lists[s]) for s in SPLITS
    }
    # MovieLens-100K has 100,000 ratings, all well formed: each has one fate.
    assert sum(n for k, n in counts.items() if k.startswith("ratings/")) == 100_000


def test_vocabularies_hold_the_train_splits_values_and_no_others(first_run, lists):
    users = {x.user["user_id"] for x in lists["train"]}
    assert vocabulary(first_run, "user_id") == users
    assert {x.user["user_id"] for x in lists["test"]} - users  # there are new ones
    items = [
        item["item_id"] for x in lists["train"] for item in (*x.candidates, *x.history)
    ]
    names, counts = np.unique(items, return_counts=True)
    assert vocabulary(first_run, "item_id") == set(names[counts >= 3])


def vocabulary(run, feature):
    folder = run.components["Transform"].folder("transform_graph")
    file = folder / "transform_fn" / "assets" / f"vocabulary_{feature}"
    return set(file.read_text().splitlines())


def test_the_transform_has_no_test_list_and_loses_none_of_the_others(first_run, lists):
    import tensorflow as tf

    folder = first_run.components["Transform"].folder("transformed_examples")
    names = sorted(p.name for p in folder.iterdir() if p.name.startswith("Split-"))
    assert names == ["Split-train", "Split-validation"]
    for split in ("train", "validation"):
        files = sorted(str(p) for p in (folder / f"Split-{split}").iterdir())
        records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
        assert sum(1 for _ in records) == len(lists[split])


def ndcg_at_10(labels, scores):
    """Of one list, term by term as the definition has it."""
    order = sorted(range(len(labels)), key=lambda i: -scores[i])
    found = sum(labels[i] / math.log2(r + 2) for r, i in enumerate(order[:10]))
    ideal = sum(
        label / math.log2(r + 2)
        for r, label in enumerate(sorted(labels, reverse=True)[:10])
    )
    return found / ideal


@pytest.fixture(scope="module")
def by_hand(first_run, lists):
    """NDCG@10 of each test list, by the pushed model and by the initial order."""
    import tensorflow as tf

    model = first_run.root / "models" / first_run.versions[0]
    score = tf.saved_model.load(str(model)).signatures["serving_default"]
    encoded = tf.constant(serialized(first_run, "test"))
    scores = score(examples=encoded)["scores"].numpy()
    served = [
        ndcg_at_10(x.labels, row) for x, row in zip(lists["test"], scores, strict=True)
    ]
    initial = [ndcg_at_10(x.labels, -np.arange(len(x.labels))) for x in lists["test"]]
    return np.array(served), np.array(initial)


def measured(run):
    """(partition, group, metric) → the Evaluator's figure, as the report has it."""
    found = run.metrics()["evaluator"]["measured"]
    return {(m["partition"], m["label"], m["metric"]): m for m in found}


def test_the_evaluators_figures_are_right(first_run, by_hand):
    served, initial = by_hand
    found = measured(first_run)
    overall = found["all", "all lists", "ndcg_at_10"]
    assert overall["value"] == pytest.approx(served.mean(), abs=1e-5)
    gain = found["all", "all lists", "ndcg_at_10_gain_over_initial"]
    assert gain["value"] == pytest.approx((served - initial).mean(), abs=1e-5)
    # The gate let it pass: so it must be true.
    assert gain["value"] >= 0.01


def test_the_evaluators_intervals_are_as_wide_as_they_should_be(first_run, by_hand):
    overall = measured(first_run)["all", "all lists", "ndcg_at_10"]
    assert overall["low"] < overall["value"] < overall["high"]
    half = 1.96 * by_hand[0].std() / math.sqrt(len(by_hand[0]))
    # Twenty resamples make a rough interval.
    width = (overall["high"] - overall["low"]) / 2
    assert half / 2 < width < 2 * half


def test_the_slices_part_the_test_lists(first_run, lists, by_hand):
    found = measured(first_run)
    for partition in MOVIELENS_100K.slices:
        total = 0.0
        for label in partition.labels():
            rows = [group(partition, x) == label for x in lists["test"]]
            if any(rows):
                one = found[partition.name, label, "ndcg_at_10"]
                assert one["value"] == pytest.approx(by_hand[0][rows].mean(), abs=1e-5)
                total += sum(rows)
        assert total == len(lists["test"])


def group(partition, ranking_list):
    """The group of a list; 0 for what it has none of."""
    number = (
        len(ranking_list.history)
        if partition.of_length
        else ranking_list.user[partition.feature]
    )
    below = [b for b in partition.boundaries if b <= number]
    return partition.labels()[len(below)]


def test_both_blessings_are_given_for_a_reason(first_run):
    blessing = first_run.components["GatedEvaluator"].folder("blessing")
    assert [p.name for p in blessing.iterdir()] == ["BLESSED"]
    infra = first_run.components["ServingCheck"].folder("infra_blessing")
    assert (infra / "INFRA_BLESSED").exists()
    check = json.loads((infra / "serving_check.json").read_text())
    # Eight of the test split, and the two worst cases.
    assert (check["passed"], check["lists"]) == (True, 8 + 2)
    for signature in ("serving_default", "rank"):
        assert 0 <= check[signature] <= check["tolerance"] == 1e-4


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_the_pushed_version_is_the_trained_model_whole(first_run):
    trained = first_run.components["Trainer"].folder("model") / "Format-Serving"
    pushed = first_run.root / "models" / first_run.versions[0]
    assert digests(pushed) == digests(trained)
    assert "variables/variables.index" in digests(pushed)
    artifact = first_run.components["StorePusher"].outputs["pushed_model"]
    recorded = artifact.custom_properties
    assert recorded["pushed"].int_value == 1
    assert recorded["pushed_version"].string_value == first_run.versions[0]
    assert recorded["pushed_destination"].string_value == str(pushed)


def test_the_pushed_version_warms_up_both_signatures(first_run):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    extra = first_run.root / "models" / first_run.versions[0] / "assets.extra"
    records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
    names = {
        prediction_log_pb2.PredictionLog.FromString(
            record
        ).predict_log.request.model_spec.signature_name
        for record in records.as_numpy_iterator()
    }
    assert names == {"serving_default", "rank"}


def test_the_report_tells_the_same_figures_in_every_place(first_run, by_hand):
    metrics = first_run.metrics()
    served, initial = by_hand
    assert metrics["test"]["lists"] == len(served)
    assert metrics["evaluator"]["agrees"] is True
    overall = metrics["test"]["overall"]["ndcg_at_10"]
    assert overall["means"]["served"]["mean"] == pytest.approx(served.mean(), abs=1e-5)
    assert overall["means"]["initial"]["mean"] == pytest.approx(initial.mean())
    decision = metrics["decision"]
    assert (decision["pushed"], decision["reasons"]) == (True, [])
    assert decision["version"] == first_run.versions[0]
    gate = metrics["gate"]
    assert gate["passed"] is True and gate["lists"] == len(served)
    found = {c["name"]: c for c in gate["checks"] if c["group"] == "all lists"}
    assert found["ndcg"]["value"] == pytest.approx(served.mean(), abs=1e-5)
    gain = (served - initial).mean()
    assert found["gain_over_initial"]["value"] == pytest.approx(gain, abs=1e-5)
    assert found["gain_over_initial"]["interval"][0] > 0.01
    history = metrics["training"]["history"]["val_ndcg_at_10"]
    assert len(history) == metrics["training"]["epochs"] == 3
    # The weights that were exported are those of the epoch that the report names.
    best = history[metrics["training"]["kept_epoch"] - 1]
    student = metrics["training"]["validation"]["student_ndcg_at_10"]
    assert student == pytest.approx(best, abs=1e-5)


def test_the_latest_report_is_a_copy_of_the_runs(first_run):
    latest = first_run.root / "report" / "latest"
    made = first_run.components["Report"].folder("report")
    assert digests(latest) == digests(made)
    assert {"index.html", "metrics.json", "lists.txt"} <= set(digests(latest))
    page = (latest / "index.html").read_text()
    assert first_run.metrics()["decision"]["sentence"] in page
