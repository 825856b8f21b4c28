"""Ratios on one core of a CPU: on paper, and as docs/speed.md states them."""

import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results" / "cpu_one_core.json"


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        import measure_onnx

        yield measure_onnx


def test_ratios_are_of_one_round_and_their_median_is_told(tool, monkeypatch):
    titles = (tool.STUDENT, tool.XLA, tool.ONNX, *tool.RIVALS.values())
    # Three rounds of each; a call's answer is its scores.
    took = {title: [1e-3, 1e-3, 1e-3] for title in titles}
    took[tool.STUDENT] = [1e-3, 2e-3, 3e-3]
    took[tool.ONNX] = [5e-4, 5e-4, 3e-3]
    order, called = [], dict.fromkeys(titles, 0)

    def call(title):
        def run():
            called[title] += 1
            return np.float32([0.5, 0.25 if title == tool.ONNX else 0.125])

        return run

    def seconds(run, least):
        (title,) = (t for t in titles if calls[t] is run)
        order.append(title)
        wall = took[title][(len(order) - 1) // len(titles)]
        return {"wall": wall, "processor": 1e-3}

    calls = {title: call(title) for title in titles}
    monkeypatch.setattr(tool, "seconds", seconds)
    found = tool.measured(calls, rounds=3, least=0.1)
    assert order == [*titles] * 3
    # All are warm before the first is timed.
    assert min(called.values()) >= tool.WARM_UP
    # 1 / 0.5, 2 / 0.5 and 3 / 3; of the medians it would be 2 / 0.5.
    wall, processor = found["wall"], found["processor"]
    ratio = wall["ratios"]["TensorFlow ÷ ONNX Runtime"]
    assert ratio == {"median": 2.0, "low": 1.0, "high": 4.0}
    assert wall["ratios"]["÷ PRM"]["median"] == 2.0
    assert wall["milliseconds"][tool.ONNX] == 0.5
    assert {x["median"] for x in processor["ratios"].values()} == {1.0}
    assert found["largest_score_difference"] == 0.125


def test_a_clock_leaves_out_what_others_take_of_the_core(tool):
    import time

    found = tool.seconds(lambda: time.sleep(0.02), least=0.0)
    assert found["wall"] >= 0.02 > 10 * found["processor"]


def test_the_page_shows_what_the_results_file_says(tool):
    content = json.loads(RESULTS.read_text())
    assert tool.table(content) in (ROOT / "docs" / "speed.md").read_text()
    assert content["rounds"] >= 7 and content["command"].endswith(
        str(RESULTS.relative_to(ROOT))
    )
    for row in content["rows"]:
        assert row["largest_score_difference"] <= 1e-4, row
