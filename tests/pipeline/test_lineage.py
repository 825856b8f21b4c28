"""From a version back to what made it, over metadata that is known."""

import json
import re

import pytest
from lineage_store import write_store

from psad_tf import cli
from tfx_pipeline.lineage.facts import facts
from tfx_pipeline.lineage.metadata import read_metadata
from tfx_pipeline.lineage.page import connect, lay_out, render
from tfx_pipeline.lineage.trace import trace

STEPS = (
    "PrepareLog ListExampleGen LastBlessed Trainer GatedEvaluator ServingCheck "
    "StorePusher Report"
).split()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("lineage") / "root"
    write_store(root)
    return root


def known(root, version="17"):
    return facts(trace(read_metadata(root), root, version))


def run(*words):
    return cli.main(["lineage", *map(str, words)])


def test_every_step_that_had_a_part_and_no_other(root):
    found = known(root)
    assert [s["component"] for s in found["steps"]] == STEPS
    assert {s["state"] for s in found["steps"]} == {"COMPLETE"}


def test_a_cached_step_leads_to_the_one_that_did_the_work(root):
    first, second = known(root), known(root, "18")
    assert [s["component"] for s in second["steps"]] == STEPS
    shared = [s["number"] for s in second["steps"] if s in first["steps"]]
    # The log and the lists are the first run's; all else is its own.
    assert shared == [s["number"] for s in first["steps"][:2]]


def test_what_it_comes_to(root):
    found = known(root, "18")
    assert found["pushed"]["to"] == "/store/18"
    data = found["data"]
    assert (data["raw"], data["dataset"]) == ("/raw", "shop")
    assert data["fingerprint"] == "f00d"
    assert list(data["spans"].values()) == [{"span": 4}]
    assert data["counts"] == {"lists/test": 3, "lists/train": 5}
    assert found["code"] == {"fingerprint": "c0de", "package": None}
    assert found["settings"]["training"] == {"epochs": 2}
    assert found["training"] == {"student_ndcg_at_10": 0.8}
    assert found["compared_with"] == "17"
    assert known(root)["compared_with"] is None
    assert found["gate"]["passed"] is True


def test_it_is_told_as_text(root, capsys):
    assert run("18", "--root", root) == 0
    told = capsys.readouterr().out
    assert told.startswith("version 18, pushed ")
    for line in (
        "data       shop, from /raw",
        "code       c0de, psad-tf (gone)",
        "settings   seed 3, model preset",
        "compared   with version 17",
        "gate       The gate passed the model: 0 of 2 checks failed",
    ):
        assert f"  {line}" in told
    assert re.search(r"<- log \[1\] .*/artifacts/PrepareLog/log/1\n", told)
    assert "with none: it was the first one" not in told


def test_a_root_that_was_moved_keeps_its_lineage(root, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    write_store(moved)
    moved.rename(tmp_path / "moved")
    assert run("17", "--root", tmp_path / "moved", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["gate"] == known(root)["gate"]
    assert found["data"]["counts"] == {"lists/test": 3, "lists/train": 5}
    places = [
        i["place"] for s in found["steps"] for v in s["writes"].values() for i in v
    ]
    assert all(p.startswith(str(tmp_path / "moved")) for p in places)


def test_what_is_gone_is_said_to_be(tmp_path, capsys):
    write_store(tmp_path)
    for folder in ("GatedEvaluator", "ListExampleGen"):
        (tmp_path / "artifacts" / folder).rename(tmp_path / folder)
    assert run("17", "--root", tmp_path) == 0
    told = capsys.readouterr().out
    assert "gate       (gone)" in told and "lists      (gone)" in told
    assert re.search(r"-> examples \[2\] .*/examples/2 \(gone\)", told)
    # The metadata has it still.
    assert "fingerprint of files and code f00d" in told


def test_the_graph_has_a_box_a_step_and_an_arrow_an_artifact(root):
    steps = known(root, "18")["steps"]
    boxes = lay_out(steps)
    places = {(b.x, b.y) for b in boxes}
    assert len(places) == len(steps)
    column = {b.step["component"]: b.x for b in boxes}
    order = ["PrepareLog", "ListExampleGen", "Trainer", "GatedEvaluator", "StorePusher"]
    assert sorted(order, key=column.get) == order
    arrows = {a.title for a in connect(boxes)}
    assert "ListExampleGen → Trainer, examples: Examples" in arrows
    assert "GatedEvaluator → StorePusher, model_blessing: ModelBlessing" in arrows
    assert len(arrows) == sum(len(v) for s in steps for v in s["reads"].values())


def test_the_page_shows_all_of_it(root, tmp_path, capsys):
    assert run("17", "--root", root, "--html", tmp_path / "page.html") == 0
    page = (tmp_path / "page.html").read_text()
    assert page == render(known(root) | {"root": str(root)})
    assert page.count("<rect") == len(STEPS)
    assert "Lineage of version 17" in page and "f00d" in page
    assert "The gate passed the model" in page
    assert not re.search(r"https?://|<script", page)


def test_the_model_store_names_the_root(root, tmp_path, capsys):
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "17.json").write_text(json.dumps({"root": str(root)}))
    assert run("17", "--model-store", tmp_path) == 0
    assert run("18", "--model-store", tmp_path) == cli.BAD_INPUT
    assert "18.json: no such card" in capsys.readouterr().err


def test_what_is_not_there_is_named(root, tmp_path, capsys):
    assert run("19", "--root", root) == cli.BAD_INPUT
    assert "19 was not pushed" in (error := capsys.readouterr().err)
    assert "its versions: 17, 18" in error
    assert run("17", "--root", tmp_path) == cli.BAD_INPUT
    assert "no metadata.sqlite" in capsys.readouterr().err
