"""What docs/serving.md shows of load tests is what their results files say."""

import json
import runpy
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        yield runpy.run_path(str(TOOLS / "serving_tables.py"))


def test_every_table_is_made_from_its_results_file(tool):
    made = list(tool["made"]())
    assert len(made) >= 4
    for path, text in made:
        assert path.read_text(encoding="utf-8") == text, (
            f"{path}: run `python tools/serving_tables.py`"
        )


def test_every_results_file_names_what_made_it_and_no_answer_is_wrong(tool):
    files = list(tool["RESULTS"].glob("*/*.json"))
    assert {file.stem for file in files} == {"loadtest", "soak"}
    for file in files:
        found = json.loads(file.read_text(encoding="utf-8"))
        run = found["run"]
        assert run["command"].startswith("psad loadtest --target "), file
        assert (file.stem == "soak") == ("--soak " in run["command"]), file
        assert run["device"] and run["host"] and run["created"], file
        if file.stem == "loadtest":
            loads = found["open"]
            assert all(one["codes"] == {"OK": one["requests"]} for one in loads), file
            continue
        for part in found["slices"]:
            # A server on busy cores may turn requests away, at once and by name.
            assert sum(part["codes"].values()) == part["requests"]
            assert {*part["codes"]} <= {"OK", "RESOURCE_EXHAUSTED"}
            assert part["wrong"] == 0


def test_a_table_that_was_changed_by_hand_is_made_anew(tool):
    text = "before\n<!-- table: loads -->\n| a |\n<!-- end -->\nafter\n"
    once = tool["filled"](text)
    assert "| a |" not in once and "| lists in a request | most lists/s |" in once
    assert once.startswith("before\n") and once.endswith("<!-- end -->\nafter\n")
    assert tool["filled"](once) == once
