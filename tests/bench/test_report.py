"""The bench's report: its files say the same, and its plots what the tables say."""

import csv
import json
import subprocess
import sys

import pytest
from made_up_results import STUDY, hyperparameters, interaction

from psad_tf.bench import report, report_sections
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_tables import build_tables
from psad_tf.errors import InputError

RUN = Run("psad bench study", "a GPU", "a host", {"python": "3"}, "today")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "report"
    results = [*STUDY, *hyperparameters(), *interaction()]
    return report.write_report(results, RUN, out), out


def test_json_and_csv_hold_the_same_figures(written):
    tables, out = written
    content = json.loads((out / "results.json").read_text())
    lines = list(csv.DictReader((out / "results.csv").read_text().splitlines()))

    assert content["run"]["command"] == "psad bench study"
    assert len(lines) == sum(len(r.means) for t in tables for r in t.rows)
    row = content["tables"][0]["rows"][1]
    (line,) = (
        x
        for x in lines
        if (x["bench"], x["variant"], x["measure"])
        == ("study", "table", "student_ndcg")
    )
    paired = row["against"]["student_ndcg"]
    assert float(line["difference"]) == paired["over_lists"]["mean"]
    assert float(line["p_holm"]) == row["p_holm"]["student_ndcg"]
    assert float(line["mean"]) == pytest.approx(0.5325)
    (reference,) = (
        x
        for x in lines
        if (x["topic"], x["variant"], x["measure"])
        == ("position", "default", "student_ndcg")
    )
    assert reference["difference"] == reference["p"] == ""


def test_everything_but_the_figures_is_made_from_them_alone(written, tmp_path):
    tables, out = written
    report.render_report(out / "results.json", tmp_path)
    names = {p.name for p in out.iterdir()} - {"results.json", "results.csv"}
    assert {p.name for p in tmp_path.iterdir()} == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name
    run, again = report.read_tables(out / "results.json")
    assert run == RUN and [t.topic for t in again] == [t.topic for t in tables]


def test_page_and_tables_say_what_was_found_and_how(written):
    _, out = written
    page, tables = ((out / n).read_text() for n in ("index.html", "tables.md"))

    for text in (page, tables):
        assert "psad bench study" in text and "a GPU" in text and "python" in text
        assert "0.5325 ± 0.0035" in text  # table's NDCG@10
        assert "−0.0200 (−0.0200 to −0.0200)" in text
        assert "default (2)" in text
        assert "seeds 0, 1" in text and "20 lists" in text
    rows = [x for x in tables.splitlines() if x.startswith("| table ")]
    head = next(x for x in tables.splitlines() if x.startswith("| variant "))
    assert rows[0].count("|") == head.count("|")
    assert 'src="http' not in page


def test_everything_on_the_click_world_says_so(written):
    _, out = written
    tables = (out / "tables.md").read_text()

    of_world = [x for x in tables.splitlines() if "click world" in x]
    assert of_world and all("simulated" in x for x in of_world)
    assert "### block size: all lists (simulated)" in tables
    files = {p.name for p in out.glob("*.svg")}
    assert files == set(
        x.partition("](")[2][:-1] for x in tables.splitlines() if "](" in x
    )
    assert all("simulated" in name for name in files if "click_world" in name)


def test_an_earlier_report_is_replaced_and_nothing_else(written, tmp_path):
    out = tmp_path / "report"
    for results in (STUDY, STUDY[:2]):
        report.write_report(results, RUN, out)
    assert len(json.loads((out / "results.json").read_text())["tables"]) == 1

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    with pytest.raises(InputError, match="no earlier run|isn't of an earlier run"):
        report.write_report(STUDY, RUN, tmp_path / "mine")


def test_nothing_heavy_is_imported():
    names = "report overall_report efficiency_report".split()
    imports = "".join(f"import psad_tf.bench.{name}; " for name in names)
    code = f"import sys; {imports}print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    heavy = {"tensorflow", "keras", "tfx", "apache_beam", "jax"}
    assert not {*heavy, "tfx_pipeline"} & set(found)


def test_sections_keep_data_sets_and_benches_apart():
    found = report_sections.sections(build_tables([*STUDY, *hyperparameters()]))

    assert [s.title for s in found] == [
        "Study of choices: movielens 100k, validation lists",
        "Hyperparameters: click world (simulated), validation lists",
    ]
    assert [len(s.tables) for s in found] == [2, 1]
