"""The Evaluator's verdict in words, read from TFMA's own files."""

import pytest
from report_evaluation import OVERALL, passing, write_evaluation

from tfx_pipeline.evaluation import GAIN_METRIC, GATE_METRIC
from tfx_pipeline.report.gate import read_checks, read_measured
from tfx_pipeline.report.words import decide

COLD = ("slice_history_length", "0")


def test_a_first_model_has_nothing_to_be_compared_with(tmp_path):
    write_evaluation(tmp_path, passing(0.81))

    gain, change = read_checks(tmp_path, 0.005)

    assert gain.why == (
        "NDCG@10 gain over the initial order is 0.0231, needs >= 0.0100: passed"
    )
    assert (gain.value, gain.bound, gain.passed) == (0.0231, 0.01, True)
    assert change.why == (
        "no model was blessed before, so NDCG@10 has nothing to be compared with"
    )
    assert (change.value, change.bound, change.passed) == (None, -0.005, None)


def test_a_later_model_is_compared_with_the_last_blessed_one(tmp_path):
    values = passing(0.80) | {(OVERALL, GATE_METRIC, True): (-0.0123, -0.02, 0.001)}
    failures = [(OVERALL, GATE_METRIC, True)]
    write_evaluation(tmp_path, values, failures, has_baseline=True)

    checks = {c.metric: c for c in read_checks(tmp_path, 0.005)}

    assert set(checks) == {GAIN_METRIC, f"{GATE_METRIC}_diff"}
    assert checks[GAIN_METRIC].passed
    assert checks[f"{GATE_METRIC}_diff"].why == (
        "NDCG@10 change against the last blessed model is -0.0123, "
        "needs >= -0.0050: failed"
    )


def test_the_verdict_is_tfmas_and_not_recomputed(tmp_path):
    failures = [(OVERALL, GAIN_METRIC, False)]
    write_evaluation(tmp_path, passing(0.81, gain=0.5), failures)

    assert read_checks(tmp_path, 0.005)[0].passed is False


def test_a_metric_without_a_value_says_so(tmp_path):
    failures = [(OVERALL, GAIN_METRIC, False)]
    write_evaluation(
        tmp_path, {(OVERALL, GATE_METRIC, False): (0.8, 0.7, 0.9)}, failures
    )

    gain, _ = read_checks(tmp_path, 0.005)
    assert gain.why == (
        "NDCG@10 gain over the initial order was not measured, needs >= 0.0100: failed"
    )


def test_a_failure_in_a_slice_is_not_lost(tmp_path):
    write_evaluation(tmp_path, passing(0.81), [(COLD, GATE_METRIC, False)])

    last = read_checks(tmp_path, 0.005)[-1]

    assert last.passed is False
    assert last.why == "NDCG@10 on history_length 0: failed."


def test_slices_with_their_intervals_after_all_lists(tmp_path):
    groups = ("100+", "20-99", "0")
    slices = [("slice_history_length", group) for group in groups]
    values = {(s, GATE_METRIC, False): (0.7, 0.65, 0.75) for s in slices}
    write_evaluation(tmp_path, values | passing(0.81))

    found = read_measured(tmp_path)

    assert [m.partition for m in found] == ["all"] * 2 + ["history_length"] * 3
    assert [m.label for m in found[2:]] == ["0", "20-99", "100+"]
    cold = found[2]
    assert (cold.label, cold.metric) == ("0", GATE_METRIC)
    assert (cold.value, cold.low, cold.high) == (0.7, 0.65, 0.75)


def test_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no result of the Evaluator"):
        read_measured(tmp_path)


def test_decisions_in_words():
    pushed = decide(True, True, True, "17", "/store/17", [], "every answer agrees")
    assert pushed.sentence() == "Pushed as version 17 to /store/17."

    refused = decide(False, False, False, "", "", ["gain: failed"], "no answer")
    assert refused.sentence() == (
        "Not pushed: the Evaluator did not bless the model (gain: failed); "
        "the serving check failed (no answer)."
    )
    unchecked = decide(False, True, False, "", "", [], "")
    assert "no threshold was checked" in unchecked.sentence()
    odd = decide(True, True, False, "", "", [], "")
    assert "the Pusher refused" in odd.sentence()
