"""The report of all rerankers says what the results say, and is made of its JSON."""

import csv
import doctest
import json

import numpy as np
import pytest
from made_up_overall import GAINS, RUN, WORLD, described, overall
from made_up_results import LISTS

from psad_tf.bench import (
    overall_report,
    paper_figures,
    report_files,
    report_sheets,
    statistics,
)
from psad_tf.bench.overall_content import content_of
from psad_tf.bench.overall_paper import paper_sheet
from psad_tf.bench.overall_sheets import chosen_sheet, sheets_of
from psad_tf.errors import InputError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("overall") / "report"
    results = overall() + overall(dataset=WORLD)
    overall_report.write_overall(results, described(), RUN, out)
    return out


@pytest.fixture(scope="module")
def content(written):
    return json.loads((written / "overall.json").read_text())


def texts(sheet):
    """The rows of a sheet by their first cell: what is read, without marks."""
    rows = {}
    for first, *others in sheet.cells():
        cells = [(c.text + c.rest, c.aside, c.mark, c.has_star) for c in others]
        rows[first.text] = cells
    return rows


def test_means_are_over_seeds_and_differences_over_lists(content):
    methods = content["datasets"][0]["methods"]

    # Under seed 1, half of the lists have 0.01 more: 0.61 and 0.615.
    psad = methods["PSAD-G"]
    assert psad["per_seed"]["ndcg"] == pytest.approx([0.61, 0.615])
    assert psad["over_seeds"]["ndcg"]["mean"] == pytest.approx(0.6125)
    assert psad["over_seeds"]["ndcg"]["sd"] == pytest.approx(0.005 / np.sqrt(2))
    assert "PSAD-G" not in psad["against"]
    # PRM has 0.03 less on each list, whatever is resampled.
    paired = methods["PRM"]["against"]["PSAD-G"]["ndcg"]
    assert [*paired["difference"].values()] == pytest.approx([-0.03] * 3)
    assert paired["effect"] == -1 and paired["ties"] == 0
    # The initial order has one run, which is held against both seeds.
    paired = methods["initial order"]["against"]["PSAD-S"]["ndcg"]
    assert paired["difference"]["mean"] == pytest.approx(-0.0525)
    assert paired["over_seeds"]["mean"] == pytest.approx(-0.0525)
    assert paired["difference"]["low"] < -0.0525 < paired["difference"]["high"]


def test_p_values_are_corrected_over_all_pairs_with_a_reference(content):
    methods = content["datasets"][0]["methods"]
    # Of ten pairs of five methods all but PRM and NAR4Rec have a reference in them.
    pairs = {
        frozenset((title, name)): paired["ndcg"]
        for title, row in methods.items()
        for name, paired in row["against"].items()
    }
    assert len(pairs) == 9
    corrected = statistics.holm([paired["p"] for paired in pairs.values()])
    assert [p["p_holm"] for p in pairs.values()] == pytest.approx(corrected)
    # The same seen from the other side.
    mirrored = methods["PSAD-G"]["against"]["PSAD-S"]["ndcg"]
    assert (
        mirrored["p_holm"] == methods["PSAD-S"]["against"]["PSAD-G"]["ndcg"]["p_holm"]
    )
    # NAR4Rec and PSAD-S are equal on every list.
    assert methods["NAR4Rec"]["against"]["PSAD-S"]["ndcg"]["p_holm"] == 1


def test_the_table_marks_best_second_and_significance(content):
    ranking, diversity, prediction, *_ = sheets_of(content["datasets"][0])

    assert ranking.head == ["method", "runs", "NDCG@10", "MAP@10"]
    rows = texts(ranking)
    assert rows["PSAD-G"][1] == ("0.6125 ± 0.0035", "", "best", False)
    # Both have the same figures.
    for title in ("NAR4Rec", "PSAD-S"):
        assert rows[title][1] == ("0.6025 ± 0.0035", "", "second", True)
    assert rows["initial order"][:2] == [
        ("1", "", "", False),
        ("0.5500", "", "", True),
    ]
    assert diversity.head[2:] == ["intra-list distance", "popularity percentile"]
    assert [cell[2] for cell in texts(diversity)["PSAD-G"]] == ["", "", ""]
    assert [cell[2] for cell in texts(diversity)["initial order"]] == ["", "best", ""]
    assert [*texts(prediction)] == ["PRM"]
    assert texts(prediction)["PRM"][1][0] == "0.7250 ± 0.0354"


def test_the_lower_log_loss_is_the_better_one(content):
    dataset = json.loads(json.dumps(content["datasets"][0]))
    methods = dataset["methods"]
    for title, mean in (("PRM", 0.5), ("NAR4Rec", 0.25)):
        found = {"mean": mean, "sd": 0.0, "low": None, "high": None, "count": 1}
        methods[title]["over_seeds"] |= {"log_loss": found, "auc": found}
    rows = texts(sheets_of(dataset)[2])
    assert [c[2] for c in rows["NAR4Rec"][1:]] == ["second", "best"]
    assert [c[2] for c in rows["PRM"][1:]] == ["best", "second"]


def test_differences_stand_with_their_interval_p_and_effect(content):
    sheets = {s.title: texts(s) for s in sheets_of(content["datasets"][0])}

    to_g, to_s, to_initial = sheets["Differences in NDCG@10"]["PRM"]
    assert to_g[0] == "−0.0300 (−0.0300 to −0.0300)"
    assert to_g[1:3] == ("p < 0.001, r = −1.00", "bad")
    assert to_initial[2] == "good" and to_initial[0].startswith("+0.0325 (+0.0")
    equal = sheets["Differences in NDCG@10"]["NAR4Rec"][1]
    assert equal[1:3] == ("p = 1.000, r = +0.00", "")
    assert "Differences in true utility" not in sheets


def test_what_was_chosen(content):
    rows = texts(chosen_sheet(content["methods"], "a data set"))

    shown = [cell[0] for cell in rows["PRM"]]
    assert shown[:3] == ["0.001", "loss=softmax, weight=0.5", "12"]
    assert shown[3:] == ["0.5800", "12,345", "yes", ""]
    shown = [cell[0] for cell in rows["initial order"]]
    assert shown == ["–", "–", "–", "–", "–", "no", "as | it came"]


def test_the_papers_ranks_and_ratios_stand_beside_ours(content):
    sheet = paper_sheet({"lists": content["datasets"][0]})
    rows = texts(sheet)

    assert sheet.head[1:] == [
        "paper, Ad",
        "paper, PRM Public",
        "paper, Avito",
        "ours, lists",
    ]
    # 0.7184 / 0.7015 on Ad, 0.3528 / 0.3430 on PRM Public, 0.7427 / 0.7047 on Avito;
    # ours are 0.6125 / 0.5825.
    shown = [cell[0] for cell in rows["PSAD-G"]]
    assert shown == ["1 (1.0241)", "1 (1.0286)", "1 (1.0539)", "1 (1.0515)"]
    # PIER is the seventh of nine on PRM Public; we have not measured it.
    assert [c[0] for c in rows["PIER"]][1:] == ["7 (0.9980)", "5 (1.0155)", "–"]
    assert [rows[t][3][0][0] for t in ("NAR4Rec", "PSAD-S", "PRM")] == ["2", "2", "4"]


def test_the_paper_ranks_methods_as_its_text_says():
    for values in paper_figures.NDCG.values():
        ranks = paper_figures.ranks(values)
        assert ranks["PSAD-G"] == 1 and ranks["miDNN"] == 9
        assert ranks["PSAD-S"] < min(ranks[n] for n in ("miDNN", "DLCM", "PRM"))


@pytest.mark.parametrize("module", [paper_figures, report_files, report_sheets])
def test_the_examples_in_the_docstrings(module):
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="Title: .* has not 2 cells"):
        report_sheets.Sheet("Title", "", ["a", "b"], [["1", "2"], ["3"]])


def test_csv_has_a_row_for_each_method_data_set_and_seed(written):
    lines = list(csv.DictReader((written / "overall.csv").read_text().splitlines()))

    assert len(lines) == 2 * (1 + 2 * (len(GAINS) - 1))
    found = {(x["dataset"], x["method"], x["seed"]): x for x in lines}
    assert found["movielens_100k", "initial order", ""]["ndcg"] == "0.55"
    row = found[WORLD, "PRM", "1"]
    assert float(row["utility"]) == pytest.approx(5 * 0.585)
    assert (row["auc"], row["log_loss"], row["simulated"]) == ("0.7", "0.3", "True")
    assert found["movielens_100k", "PRM", "1"]["utility"] == ""


def test_all_is_made_from_the_json_alone(written, tmp_path):
    overall_report.render_overall(written / "overall.json", tmp_path / "again")

    made = {p.name for p in written.iterdir()} - {"overall.json", "overall.csv"}
    assert {p.name for p in (tmp_path / "again").iterdir()} == made
    for name in made:
        assert (tmp_path / "again" / name).read_bytes() == (written / name).read_bytes()


def test_page_and_markdown_are_whole(written):
    page, tables = ((written / n).read_text() for n in ("index.html", "overall.md"))

    assert "<b>0.6125</b> ± 0.0035" in page and "**0.6125** ± 0.0035" in tables
    assert "<u>0.6025</u> ± 0.0035*" in page and "*0.6025* ± 0.0035\\*" in tables
    for text in (page, tables):
        assert "psad bench overall" in text and "a GPU" in text and "python" in text
        assert "seeds 0, 1" in text and f"{LISTS} lists" in text and "2,000" in text
    assert 'src="http' not in page and "as \\| it came" in tables
    blocks = [b.splitlines() for b in tables.split("\n\n") if b.startswith("|")]
    assert len(blocks) == 5 + 6 + 2
    for block in blocks:
        assert len({row.replace("\\|", "").count("|") for row in block}) == 1


def test_everything_on_the_click_world_says_so(written):
    tables = (written / "overall.md").read_text()
    of_world = [x for x in tables.splitlines() if "click world" in x]
    assert of_world and all("simulated" in x for x in of_world)
    start = tables.index("## All rerankers: click world")
    of_world = tables[start : tables.index("## Methods")]
    headings = [x for x in of_world.splitlines() if x.startswith("### ")]
    assert len(headings) == 6 and all("(simulated)" in x for x in headings)
    files = {p.name for p in written.glob("*.svg")}
    named = [x.partition("](")[2][:-1] for x in tables.splitlines() if "](" in x]
    assert files == {*named} and len(named) == len(files)
    assert any("true_utility" in name for name in files)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, m: ([], m), "there is no result"),
        (lambda r, m: ([*r, r[0]], m), "initial order is there twice"),
        (lambda r, m: (r[1:], m), "^initial order: each method needs a result and"),
        (
            lambda r, m: (r + overall({"MMR": 0.0}), m),
            "^MMR: each method needs .* descriptions",
        ),
        (
            lambda r, m: ([r[0].restricted(np.arange(LISTS) > 0), *r[1:]], m),
            r"'test', 20\), but .*initial order \('overall', 'test', 19\)",
        ),
        (
            lambda r, m: (r[:-1] + overall({"PSAD-S": 0.0}, seeds=(7,)), m),
            r"\[7\]; run both with the same seeds",
        ),
    ],
)
def test_results_that_do_not_fit_are_refused(change, message):
    results, methods = change(overall(), described())
    with pytest.raises(InputError, match=message):
        content_of(results, methods, RUN)


def test_a_table_without_references_has_no_stars_and_no_differences():
    gains = {"PRM": 0.03, "NAR4Rec": 0.05}
    found = content_of(overall(gains), described(gains), RUN)
    (dataset,) = found["datasets"]

    assert dataset["references"] == []
    sheets = sheets_of(dataset)
    assert not any(s.title.startswith("Differences") for s in sheets)
    assert not any(c.has_star for s in sheets for row in s.cells() for c in row)
