"""What TFMA measured, read from its own files; the gate's verdict, and it in words."""

import numpy as np
import pytest
from gate_records import CHECKS, gain, write_gate
from matplotlib.figure import Figure
from report_evaluation import passing, write_evaluation
from report_run import inputs, write_logs

from psad_tf.report_page.style import LIGHT
from tfx_pipeline.evaluation import GATE_METRIC
from tfx_pipeline.gate.record import as_record
from tfx_pipeline.report.gate import read_gate, read_measured
from tfx_pipeline.report.gate_plot import draw_checks, draw_gate
from tfx_pipeline.report.words import decide


def test_the_gate_is_the_evaluators_and_the_servers(tmp_path):
    write_logs(tmp_path)
    write_gate(tmp_path / "evaluation")

    found = read_gate(inputs(tmp_path))

    assert found["passed"] is True and found["lists"] == 3
    names = [check["name"] for check in found["checks"]]
    assert names == [*(c.name for c in CHECKS), "served_scores"]
    write_gate(tmp_path / "evaluation", [gain(0.0)])
    assert read_gate(inputs(tmp_path))["passed"] is False


def test_every_interval_is_drawn_beside_its_bound():
    checks = as_record([*CHECKS, gain(-0.02, "age: 25-34")])["checks"]
    assert [p.title for p in draw_gate(checks)] == ["Gains over the initial order"]
    known = [c for c in checks if c["interval"]]
    figure = Figure()
    draw_checks(figure, LIGHT, known)
    (axes,) = figure.axes
    labels = [t.get_text() for t in axes.get_yticklabels()]
    assert labels == ["all lists", "age: 18-24", "age: 25-34"]
    handles, names = axes.get_legend_handles_labels()
    by_name = dict(zip(names, handles, strict=True))
    passed, _, (bars,) = by_name["passed"]
    assert passed.get_xdata() == pytest.approx([0.0231, 0.03])
    assert bars.get_segments()[0][:, 0] == pytest.approx([0.0181, 0.0281])
    failed = by_name["failed"][0]
    assert failed.get_xdata() == pytest.approx([-0.02])
    # First on top; the bound stands in the row it belongs to.
    assert passed.get_ydata()[0] > passed.get_ydata()[1] > failed.get_ydata()[0]
    bounds = np.asarray(by_name["bound"].get_offsets())
    assert np.allclose(bounds, [[0.01, 2], [0.01, 1], [0.01, 0]])


def test_slices_with_their_intervals_after_all_lists(tmp_path):
    groups = ("100+", "20-99", "0")
    slices = [("slice_history_length", group) for group in groups]
    values = {(s, GATE_METRIC): (0.7, 0.65, 0.75) for s in slices}
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
        "Not pushed: the gate refused the model (gain: failed); "
        "the serving check failed (no answer)."
    )
    unchecked = decide(False, True, False, "", "", [], "")
    assert "nothing was checked" in unchecked.sentence()
    odd = decide(True, True, False, "", "", [], "")
    assert "the Pusher refused" in odd.sentence()
