"""The gate asks real SavedModels: what they answer, and what it makes of it."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from report_model import KNOWN, write_split
from report_run import SECOND, make_list

from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.gate.check import all_passed
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.judge import judge
from tfx_pipeline.gate.served import Found, _checks, check_served

# Three lists prove nothing; the bounds are not the matter here.
GATE = GateConfig(
    resamples=1000,
    min_gain_over_initial=-1.0,
    max_gain_over_initial=1.0,
    max_ndcg=1.0,
    max_calibration_error=1.0,
)
# Nothing else may be looked at there: it would not be asked again for it.
OF_SERVING = SimpleNamespace(**GATE.of_serving())
# By like rate: b first, a first, and where rates are alike as they came.
LISTS = [
    make_list([0, 1, 0], like_rates=[0.1, 0.9, 0.5], request_id="up"),
    make_list([1, 0], like_rates=[0.2, 0.3], request_id="down", past=2),
    make_list([0, 1] + [0] * 6, request_id="same", past=30),
]


class Ranker(tf.Module):
    """Ranks by a raw feature, to which something may be added."""

    def __init__(self, feature="candidate_like_rate", plus=0.0):
        super().__init__()
        self.feature, self.plus = feature, plus

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serving_default(self, examples):
        spec = {
            name: tf.io.RaggedFeature(tf.float32)
            for name in {self.feature, "candidate_like_rate"}
        }
        raw = tf.io.parse_example(examples, spec)
        rates = raw["candidate_like_rate"].to_tensor(-1.0, shape=[None, 20])
        added = raw[self.feature].to_tensor(0.0, shape=[None, 20])
        return {"scores": rates + added + self.plus}


def save(folder: Path, model: tf.Module, loss: str = "bce") -> Path:
    tf.saved_model.save(model, str(folder), {"serving_default": model.serving_default})
    for name, values in KNOWN.items():
        (folder / "assets" / f"vocabulary_{name}").write_text(f"{values}\n")
    (folder / "assets.extra").mkdir()
    described = {"dataset": "movielens_100k", "model": {"scorer_loss": loss}}
    (folder / "assets.extra" / "psad.json").write_text(json.dumps(described))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, and a split of two files, the later names first."""
    place = tmp_path_factory.mktemp("judged")
    save(place / "model", Ranker())
    write_split(place / "split", LISTS)
    np.savez(
        place / "teacher.npz",
        student=np.array([0.5, 0.7]),
        teacher=np.array([0.6, 0.7]),
        correlation=np.array([0.8, 0.6]),
    )
    return place


def ask(place, model="model", blessed="none", gate=GATE):
    paths = place / model, place / blessed, str(place / "split")
    return judge(*paths, MOVIELENS_100K, gate, place)


def by_name(judged, group="all lists"):
    return {c.name: c for c in judged.checks if c.group == group}


def test_the_figures_are_those_of_the_signature(place):
    judged = ask(place)
    found = by_name(judged)
    assert judged.lists == 3 and judged.answers and not judged.blessed_answers
    assert found["ndcg"].value == pytest.approx((1 + SECOND + SECOND) / 3)
    assert found["gain_over_initial"].value == pytest.approx(0, abs=1e-12)
    # Two of eight candidates are alike in the last list, not all of any other.
    assert found["constant"].value == pytest.approx(1 / 3)
    assert found["finite"].passed and found["reads_labels"].value == 0
    assert found["teacher_gap"].value == pytest.approx(0.05)
    assert found["teacher_correlation"].value == pytest.approx(0.7)
    assert 0 < found["latency"].value
    size = sum(p.stat().st_size for p in (place / "model").rglob("*") if p.is_file())
    assert found["size"].value == pytest.approx(size / 2**20)
    assert "no model was blessed before" in found["gain_over_blessed"].finding
    # The feature is added to the rate, so that each score is twice the rate.
    scores = 2 * np.array([0.1, 0.9, 0.5, 0.2, 0.3, *[0.5] * 8])
    predicted = 1 / (1 + np.exp(-scores))
    clicks = np.array([0, 1, 0, 1, 0, 0, 1, *[0] * 6])
    bins = (predicted * 10).astype(int)
    error = sum(abs((predicted - clicks)[bins == b].sum()) for b in range(10)) / 13
    assert found["calibration"].value == pytest.approx(error, abs=1e-6)


def test_groups_are_told_by_name_with_their_sizes(place):
    few = {c.group: c for c in ask(place).checks if c.name == "gain_over_initial"}
    assert "1 of at least 50 test lists" in few["history length: 20+"].finding
    # Of three, two and eight candidates the model knows a and b.
    assert "2 of at least 50" in few["items: over 10% new"].finding
    assert few["user: unknown"].passed is None


def test_the_last_blessed_model_is_asked_the_same_lists(place):
    save(place / "raised", Ranker(plus=1.0))
    judged = ask(place, "raised", "model")
    change = by_name(judged)["gain_over_blessed"]
    assert judged.blessed_answers
    assert change.value == 0 and change.passed is False  # an equal model
    itself = by_name(ask(place, "model", "model"))["gain_over_blessed"]
    assert itself.passed is None and "very model" in itself.finding


def test_a_blessed_model_that_does_not_answer_is_told(place):
    (place / "ruin").mkdir()
    (place / "ruin" / "saved_model.pb").write_bytes(b"no graph")
    judged = ask(place, blessed="ruin")
    change = by_name(judged)["gain_over_blessed"]
    assert change.passed is None and "cannot be asked" in change.finding
    assert judged.answers and not judged.blessed_answers


def test_a_model_that_reads_labels_is_asked_without_them(place):
    save(place / "leaking", Ranker("label"))
    found = by_name(ask(place, "leaking"))
    assert found["reads_labels"].passed is False
    assert found["reads_labels"].value == pytest.approx(1)
    # Its figures are those that clients would see.
    assert found["ndcg"].value == by_name(ask(place))["ndcg"].value


def test_scores_that_are_no_numbers_are_counted(place):
    save(place / "nan", Ranker(plus=float("nan")))
    judged = ask(place, "nan")
    assert by_name(judged)["finite"].value == 1
    assert judged.lists == 3 and not all_passed(judged.checks)
    assert not judged.answers  # which keeps TFMA and the report from it
    # A blessed model that has gone bad is worth nothing.
    change = by_name(ask(place, "model", "nan"))["gain_over_blessed"]
    assert change.value == by_name(ask(place))["ndcg"].value


def test_scores_of_another_loss_are_no_probabilities(place):
    save(place / "softmax", Ranker(), loss="softmax")
    found = by_name(ask(place, "softmax"))["calibration"]
    assert found.passed is None and "scorer_loss='softmax'" in found.finding


@pytest.mark.parametrize("kept", [0, 100])
def test_a_truncated_artifact_is_refused_and_no_error(place, kept):
    broken = save(place / f"broken{kept}", Ranker())
    graph = (broken / "saved_model.pb").read_bytes()
    (broken / "saved_model.pb").write_bytes(graph[:kept])
    judged = ask(place, broken.name)
    (check,) = judged.checks
    assert (judged.answers, judged.lists, check.passed) == (False, 0, False)
    assert check.finding.startswith("the model cannot be asked: it does not load")
    exported = {"serving": {"precision": "float32"}}
    (broken / "assets.extra/export_report.json").write_text(json.dumps(exported))
    served = check_served(broken, LISTS, MOVIELENS_100K, OF_SERVING)
    assert served["passed"] is False and "does not load" in served["reason"]


def test_a_server_that_disagrees_or_is_slow_is_not_blessed():
    agreed = Found({"rank": 1e-6, "serving_default": 2e-6}, 1e-6, 1e-6, [3.0, 4.0])
    checks = _checks(agreed, "", 1e-4, OF_SERVING)
    assert all_passed(checks) and checks[0].value == 2e-6
    for changed, failed in (
        ({"scores": {"rank": 1e-3}}, "served_scores"),
        ({"scores": {"rank": np.inf}}, "served_scores"),
        ({"padding": 1e-3}, "served_padding"),
        ({"order": 1e-3}, "served_order"),
        ({"milliseconds": [1.0] * 50 + [900.0] * 2}, "served_latency"),
    ):
        checks = _checks(Found(**(vars(agreed) | changed)), "", 1e-4, OF_SERVING)
        assert [c.name for c in checks if c.passed is False] == [failed]
    moved = _checks(agreed, "the model reads the initial order", 1e-4, OF_SERVING)
    assert [c.passed for c in moved if c.name == "served_order"] == [None]
