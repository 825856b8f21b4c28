"""The report of costs: medians, ratios and targets worked out by hand."""

import csv
import json

import pytest
from made_up_overall import RUN

from psad_tf.bench import efficiency_report, paper_figures
from psad_tf.bench.efficiency_content import (
    INFERENCE,
    SHARE,
    TRAINING,
    content_of,
    paper_ratio,
    paper_share,
)
from psad_tf.bench.efficiency_sheets import beside_paper
from psad_tf.errors import InputError

ROUNDS = (1.0, 1.25, 0.5)  # The median is 1, the mean is not.
SECONDS = {
    (INFERENCE, "PRM"): 0.004,
    (INFERENCE, "NAR4Rec"): 0.008,
    (INFERENCE, "Seq2Slate"): 0.01,
    (INFERENCE, "PSAD-S"): 0.004,
    (TRAINING, "Seq2Slate"): 0.02,
    (TRAINING, "PSAD"): 0.01,
    (TRAINING, "CRUM, evaluator"): 0.002,
}


def row(phase, method, median, batch=256, rounds=ROUNDS, **changes):
    return {
        "method": method,
        "phase": phase,
        "batch": batch,
        "seconds": [median * times for times in rounds],
        "parameters": 12_345,
        "flops": 2.5e9,
        "knows_history": True,
        "note": "",
        **changes,
    }


def measured():
    rows = [row(*key, seconds) for key, seconds in SECONDS.items()]
    rows.append(row(INFERENCE, "PRM", 0.001, batch=64))
    rows.append(row(INFERENCE, "MMR", 0.05, knows_history=False, flops=float("nan")))
    share = {"method": "PSAD", "phase": SHARE, "batch": 256, "share": 0.05}
    return [*rows, share]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("efficiency") / "report"
    efficiency_report.write_efficiency(measured(), RUN, out)
    return out


def found_row(content, *key):
    (found,) = (
        r for r in content["rows"] if (r["phase"], r["method"], r["batch"]) == key
    )
    return found


def test_medians_quantiles_and_ratios():
    content = content_of(measured(), RUN)

    psad = found_row(content, INFERENCE, "PSAD-S", 256)
    # Of 0.5, 1, 1.25: a fifth of the way from the first to the second is 0.6, and
    # four fifths from the second to the third 1.2.
    assert (psad["median"], psad["p10"], psad["p90"]) == pytest.approx(
        (0.004, 0.0024, 0.0048)
    )
    ratios = {base: found["ratio"] for base, found in psad["ratios"].items()}
    assert ratios == pytest.approx({"PRM": 1, "NAR4Rec": 0.5, "Seq2Slate": 0.4})
    # Other batches and phases are no measure for it.
    assert found_row(content, INFERENCE, "PRM", 64)["ratios"].keys() == {"PRM"}
    training = found_row(content, TRAINING, "PSAD", 256)
    assert training["ratios"]["Seq2Slate"]["ratio"] == pytest.approx(0.5)
    assert training["ratios"].keys() == {"Seq2Slate"}


def test_a_ratios_percentiles_are_those_of_rounds():
    slower = row(INFERENCE, "PSAD-S", 0.004, rounds=(1, 2.5, 1))
    content = content_of([row(INFERENCE, "PRM", 0.004), slower], RUN)
    # Round by round 1, 2 and 2.
    found = found_row(content, INFERENCE, "PSAD-S", 256)["ratios"]["PRM"]
    assert found == pytest.approx({"ratio": 1, "p10": 1.2, "p90": 2})


def test_targets_are_met_up_to_their_bound():
    targets = content_of(measured(), RUN)["targets"]

    assert [(t["most"], t["is_met"]) for t in targets] == [
        (1.0, True),
        (0.5, True),
        (0.25, False),
        (0.55, True),
        (0.04, False),
    ]
    # The paper's: 0.2161 / 0.2037, / 0.3572, / 0.5873; 0.5128 / 0.8384; and
    # (0.5128 - 0.4931) / 0.5128.
    papers = [round(t["paper"], 4) for t in targets]
    assert papers == [1.0609, 0.605, 0.368, 0.6116, 0.0384]


def test_what_was_not_measured_is_neither_met_nor_missed():
    targets = content_of(measured()[:1], RUN)["targets"]
    assert [t["is_met"] for t in targets] == [None] * 5
    assert [t["ratio"] for t in targets] == [None] * 5


def test_the_papers_ratios_stand_beside_ours():
    found = beside_paper(content_of(measured(), RUN)["rows"])

    assert found[INFERENCE]["PSAD-S"] == pytest.approx((0.2161 / 0.2037, 1.0))
    # Its PSAD-S is trained in one step with its generator; ours is named PSAD.
    assert found[TRAINING]["PSAD-S"] == pytest.approx((0.5128 / 0.8384, 0.5))
    assert found[TRAINING]["PSAD-G"][1] is found[INFERENCE]["DLCM"][1] is None
    assert paper_ratio("SetRank", INFERENCE, "PRM") is None
    assert paper_share() == pytest.approx(0.0197 / 0.5128)


def test_the_papers_times_grow_with_the_batch():
    phases = paper_figures.TRAINING_SECONDS, paper_figures.INFERENCE_SECONDS
    for phase in phases:
        for seconds in phase.values():
            assert list(seconds) == sorted(seconds)
    # A step takes longer than a ranking.
    for method, seconds in paper_figures.TRAINING_SECONDS.items():
        inference = paper_figures.INFERENCE_SECONDS[method]
        assert all(s > i for s, i in zip(seconds, inference, strict=True))


def test_files_hold_the_same_figures(written):
    content = json.loads((written / "efficiency.json").read_text())
    lines = list(csv.DictReader((written / "efficiency.csv").read_text().splitlines()))

    assert content["run"]["command"] == RUN.command
    assert len(lines) == len(measured())
    line = next(x for x in lines if (x["method"], x["phase"]) == ("PSAD", TRAINING))
    assert float(line["median_seconds"]) == 0.01
    assert float(line["ratio_to_seq2slate"]) == pytest.approx(0.5)
    assert (line["rounds"], line["ratio_to_prm"]) == ("3", "")
    mmr = next(x for x in lines if x["method"] == "MMR")
    assert (mmr["knows_history"], mmr["flops"]) == ("False", "")
    assert (lines[-1]["phase"], lines[-1]["share"]) == (SHARE, "0.05")
    assert lines[-1]["median_seconds"] == ""


def test_tables_say_what_was_measured(written):
    page = (written / "index.html").read_text()
    tables = (written / "efficiency.md").read_text()

    for target in (
        "PSAD-S inference ÷ PRM | ≤ 1 | 1.000 | 1.000 to 1.000 | yes | 1.061",
        "PSAD-S inference ÷ NAR4Rec | ≤ 0.5 | 0.500 | 0.500 to 0.500 | yes | 0.605",
        "PSAD-S inference ÷ Seq2Slate | ≤ 0.25 | 0.400 | 0.400 to 0.400 | no | 0.368",
        "student's share of a PSAD training step | ≤ 0.04 | 0.050 | – | no | 0.038",
    ):
        assert f"\n| {target} |\n" in tables
    assert '<span class="bad">no</span>' in page
    # Milliseconds; equally fast ones are marked alike, and one is faster at 64.
    assert "| PSAD-S | – | **4.000** (2.400 to 4.800) | 12,345 | 2.500 |  |" in tables
    assert "| PRM | 1.000 (0.600 to 1.200) | **4.000** (2.400 to 4.800)" in tables
    assert "| MMR (without the history) | – | 50.000 (30.000 to 60.000)" in tables
    assert "| 12,345 | – |  |" in tables  # no FLOPs are known of it
    assert "| 12,345 | 2.500 |  |" in tables  # PRM
    assert "| 256 | 5.0 % |" in tables
    assert "MMR (without the history)" in page and 'src="http' not in page


def test_all_is_made_from_the_json_alone(written, tmp_path):
    efficiency_report.render_efficiency(written / "efficiency.json", tmp_path)

    made = {p.name for p in written.iterdir()} - {"efficiency.json", "efficiency.csv"}
    assert {p.name for p in tmp_path.iterdir()} == made
    assert len([name for name in made if name.endswith(".svg")]) == 4
    for name in made:
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "nothing was timed"),
        (measured()[-1:], "nothing was timed"),
        ([*measured(), measured()[0]], r"\('PRM', 'inference', 256\) is there twice"),
        ([row("sleep", "PRM", 1.0), *measured()], "the phase must be one of"),
        ([row(INFERENCE, "PRM", 0.0)], "all must be > 0"),
        ([row(INFERENCE, "PRM", 1.0, rounds=())], "rounds differ or are none: {0"),
        (
            [row(INFERENCE, "PRM", 1.0), row(INFERENCE, "MMR", 1.0, rounds=(1,))],
            "rounds differ.*1: .*MMR",
        ),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        content_of(rows, RUN)
