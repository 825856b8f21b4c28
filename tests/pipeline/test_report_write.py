"""One whole report of a made-up run: its files, its figures, its page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from gate_records import write_gate
from report_evaluation import passing, write_evaluation
from report_model import save_model, write_split
from report_run import (
    SECOND,
    inputs,
    make_list,
    serving_check,
    write_json,
    write_logs,
)

from psad_tf import cli
from psad_tf.data.examples import decode_list, encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.gate.check import AT_LEAST, VALUE, Demand
from tfx_pipeline.report.page import render
from tfx_pipeline.report.served import read_serialized, served_order
from tfx_pipeline.report.terminal import outcome
from tfx_pipeline.report.write import write_report

# Served by like rate: b first in "better", a second in "worse", no change in "long".
TEST_LISTS = [
    make_list([0, 1, 0], like_rates=[0.1, 0.9, 0.5], request_id="better"),
    make_list([1, 0], like_rates=[0.2, 0.3], request_id="worse", past=2),
    make_list([0, 1] + [0] * 6, request_id="long", past=30, rating_count=100.0),
]
SERVED = (1 + SECOND + SECOND) / 3
INITIAL = (SECOND + 1 + SECOND) / 3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The inputs of a report, and its folder."""
    root = tmp_path_factory.mktemp("run")
    save_model(root / "model")
    write_logs(root)
    write_evaluation(root / "evaluation", passing(SERVED))
    write_gate(root / "evaluation")
    for split in ("train", "validation"):
        write_split(root / f"examples/Split-{split}", [make_list([0, 1])])
    write_split(root / "examples/Split-test", TEST_LISTS)
    out = root / "report_artifact"
    return inputs(root), out, write_report(inputs(root), out, resamples=100)


@pytest.fixture(scope="module")
def page(run) -> str:
    return (run[1] / "index.html").read_text()


def test_figures_of_the_served_model(run):
    overall = run[2]["test"]["overall"]["ndcg_at_10"]

    assert run[2]["test"]["lists"] == 3
    assert overall["means"]["served"]["mean"] == pytest.approx(SERVED)
    assert overall["means"]["initial"]["mean"] == pytest.approx(INITIAL)
    assert overall["gains"]["initial"]["mean"] == pytest.approx(0, abs=1e-12)


def test_cold_start_by_what_the_model_knows(run, page):
    found = {(c["partition"], c["label"]): c for c in run[2]["test"]["cold_start"]}
    sizes = {key: c["lists"] for key, c in found.items()}
    # Of three, two and eight candidates the model knows a and b.
    assert sizes == {
        ("user", "known"): 3,
        ("user", "unknown"): 0,
        ("profile", "known"): 3,
        ("profile", "unknown"): 0,
        ("past_items", "0"): 1,
        ("past_items", "1+"): 2,
        ("items", "known"): 1,
        ("items", "up to 10% new"): 0,
        ("items", "over 10% new"): 2,
    }
    known = found["items", "known"]  # the list named "worse"
    assert known["means"]["served"]["mean"] == pytest.approx(SECOND)
    assert known["means"]["initial"]["mean"] == pytest.approx(1)
    assert 'id="cold-start"' in page and "items: over 10% new" in page


def test_the_kept_epoch_is_the_best_one(run):
    assert run[2]["training"]["kept_epoch"] == 2
    assert run[2]["training"]["epochs"] == 3


def test_the_evaluator_is_checked_against_this_report(run, tmp_path):
    assert run[2]["evaluator"]["agrees"] is True

    write_evaluation(tmp_path, passing(SERVED + 1e-3))
    write_gate(tmp_path)
    other = write_report(replace(run[0], evaluation=tmp_path), tmp_path / "out", 10)
    assert other["evaluator"]["agrees"] is False
    page = (tmp_path / "out/index.html").read_text()
    assert "differs from this report" in page


def test_files_and_the_latest_copy(run):
    written, out, summary = run
    latest = out.parent / "report" / "latest"
    names = ["gate.json", "index.html", "lists.txt", "metrics.json", "request.json"]

    assert sorted(p.name for p in out.iterdir()) == names
    assert sorted(p.name for p in latest.iterdir()) == names
    # Valid JSON: no NaN, and the same as what the function returned.
    text = (out / "metrics.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == summary
    assert "long (25th percentile)" in (out / "lists.txt").read_text()


def test_the_request_is_the_last_shown_list_without_its_clicks(run):
    written, out, summary = run
    request = json.loads((out / "request.json").read_text())
    lists = [
        decode_list(x, MOVIELENS_100K) for x in read_serialized(run[0].split("test"))
    ]
    wanted = summary["shown_lists"]["lists"][-1]["request_id"]
    (shown,) = (x for x in lists if x.request_id == wanted)
    assert set(request) == {"user", "candidates", "history"}
    asked = RankingList(**request)
    assert encode_list(asked, MOVIELENS_100K) == encode_list(
        replace(shown, labels=None), MOVIELENS_100K
    )


def test_the_same_run_gives_the_same_page(run, page, tmp_path):
    write_report(run[0], tmp_path / "again", resamples=100)

    assert (tmp_path / "again/index.html").read_text() == page


def test_a_model_that_was_not_pushed(run, tmp_path):
    check = serving_check(1.0, "no answer within 30 s")
    write_json(tmp_path / "serving_check.json", check)
    refused = replace(
        run[0], infra_blessing=tmp_path, infra_blessed=False, pushed=False
    )

    summary = write_report(refused, tmp_path / "out", resamples=10)

    sentence = "Not pushed: the serving check failed (no answer within 30 s)."
    assert summary["decision"]["sentence"] == sentence
    assert sentence in (tmp_path / "out/index.html").read_text()


def test_a_model_that_could_not_be_asked_has_a_short_report(run, tmp_path):
    reason = "A model that answers nothing ranks nothing."
    demand = Demand("loads", 1.0, reason, AT_LEAST, VALUE, "export it again")
    write_gate(tmp_path / "evaluation", [demand.check(0.0)], measured=False)
    refused = replace(
        run[0], evaluation=tmp_path / "evaluation", model_blessed=False, pushed=False
    )

    summary = write_report(refused, tmp_path / "out")

    assert summary["decision"]["sentence"].startswith("Not pushed: the gate refused")
    page = (tmp_path / "out/index.html").read_text()
    assert reason in page and "export it again" in page
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"gate.json", "index.html", "metrics.json"}
    assert "FAILED  scored lists" in outcome(summary)
    assert cli.main(["gate", "explain", str(tmp_path / "out")]) == cli.REFUSED


def test_a_missing_log_is_named(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="history.json is missing"):
        write_report(replace(run[0], model_run=tmp_path), tmp_path / "out", 10)
    assert not (tmp_path / "out").exists()


def test_the_page_says_what_matters(page):
    assert "Pushed as version 17 to /store/17." in page
    assert "&gt; +0.0100" in page and "It must help." in page
    assert "no model was blessed before" in page
    assert "bad rating: 2; too short: 1" in page
    assert "Unexpectedly low values." in page
    assert "epoch 2 of 3" in page
    assert "few lists: unsure" in page


def test_the_data_gate_is_told_and_drawn(run, page):
    assert "Compared with the data of version 16; spans 2,3." in page
    assert "Drift from the last blessed model&#39;s data" in page.replace("'", "&#39;")
    gate = run[2]["data"]["gate"]
    drift = {c["group"]: c["value"] for c in gate["checks"] if c["name"] == "drift"}
    assert drift == {"user_age": 0.25, "candidate_item_id": 0.05}


def test_what_is_simulated_is_called_so(run, page):
    data = {"is_simulated": True, "files": {}, "ratings": {}}
    world = run[2] | {"data": run[2]["data"] | data}
    sections = ("gate", "slices", "cold_start", "training", "data_gate", "data")
    pictures = {name: [] for name in sections}
    simulated = render(world, pictures)
    assert "<title>PSAD on movielens 100k (simulated):" in simulated
    assert "Simulated:" in simulated and "Histories fill from" in simulated
    assert "Raw file" not in simulated and "Ratings" not in simulated
    assert "imulated" not in page
    assert "Raw file" in page and "Ratings" in page
    assert outcome(world).startswith("3 simulated test lists, means")
    assert outcome(run[2]).startswith("3 test lists, means")


def test_titles_are_text_and_never_markup(page):
    assert "&lt;b&gt;Babe&lt;/b&gt;" in page
    assert "<b>Babe" not in page
    assert "Alien (1979)" in page


class _Reader(HTMLParser):
    """Collects tags with their attributes, and the classes around each table."""

    def __init__(self):
        super().__init__()
        self.tags, self.around_tables, self._open = [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "table":
            self.around_tables.append(self._open[-1])
        if tag not in ("meta", "img", "br", "source"):
            self._open.append(attrs.get("class"))

    def handle_endtag(self, tag):
        self._open.pop()


def test_the_page_is_one_file_that_phones_can_read(page):
    reader = _Reader()
    reader.feed(page)

    assert reader._open == []
    assert set(reader.around_tables) == {"scroll"}
    sources = [a.get("src") or a.get("srcset") for t, a in reader.tags if t != "a"]
    assert all(s.startswith("data:image/svg+xml;base64,") for s in sources if s)
    assert not re.search(r"url\(|@import|<script|<link", page)
    assert all(a["alt"] for t, a in reader.tags if t == "img")
    links = {a["href"] for t, a in reader.tags if t == "a"}
    places = {f"#{a['id']}" for _, a in reader.tags if "id" in a}
    assert links <= places
    assert ("name", "viewport") in [i for t, a in reader.tags for i in a.items()]
    assert "prefers-color-scheme: dark" in page


def test_the_order_comes_from_the_signature(run):
    serialized = read_serialized(run[0].split("test"))
    order = served_order(run[0].model, serialized)

    assert sorted(row[row >= 0].tolist() for row in order) == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [1, 0],
        [1, 2, 0],
    ]


def test_an_empty_split_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no TFRecord"):
        read_serialized(tmp_path)
