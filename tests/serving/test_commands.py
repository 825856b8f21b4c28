"""The commands for people: rerank one request, and ask whether a server is ready."""

import io
import json

import numpy as np
import pytest
from fake_server import answer, fake_server
from serving_lists import FEATURES, ranking_list

from serving import probe
from serving.probe import Readiness, canary
from serving.rerank_command import read_request, rerank

LIST = ranking_list([1, 3, 2])
REQUEST = {"user": LIST.user, "candidates": LIST.candidates, "history": LIST.history}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(REQUEST))
    return path


def test_items_are_printed_best_first(target, file, capsys):
    assert rerank(target, file) == 0
    assert capsys.readouterr().out.splitlines() == [
        "version 1",
        "  1      3.0000  i1",
        "  2      2.0000  i2",
        "  3      1.0000  i0",
    ]


def test_a_program_gets_one_json_object_from_standard_input(
    target, file, capsys, monkeypatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))
    assert rerank(target, "-", "movielens-100k", as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model_version": 1,
        "items": [
            {"item_id": "i1", "score": 3.0},
            {"item_id": "i2", "score": 2.0},
            {"item_id": "i0", "score": 1.0},
        ],
    }


BAD = {
    "no JSON": ("{", "the request is no JSON"),
    "no object": ("[]", "no JSON object"),
    "a field missing": ('{"user": {}}', "lacks ['candidates']"),
    "a field unknown": (json.dumps(REQUEST | {"items": []}), "unknown ['items']"),
    "a user that is none": ('{"user": 1, "candidates": []}', "user=1 is no object"),
    "items that are none": ('{"user": {}, "candidates": [1]}', "candidates is no"),
    "a history that is none": (
        '{"user": {}, "candidates": [], "history": {}}',
        "history is no array of objects",
    ),
    "a feature missing": (json.dumps(REQUEST | {"user": {}}), "user_age"),
    "not a number": (
        json.dumps(REQUEST).replace('"user_age": 1.0', '"user_age": NaN'),
        "not finite",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_request_that_cannot_be_sent_is_3_with_a_remedy(case, capsys):
    text, told = BAD[case]
    assert rerank("127.0.0.1:1", io.StringIO(text)) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ") and told in printed.err


def test_an_unknown_data_set_or_file_is_3(tmp_path, file, capsys):
    assert rerank("127.0.0.1:1", file, "netflix") == 3
    assert "netflix" in capsys.readouterr().err
    assert rerank("127.0.0.1:1", tmp_path / "none") == 3
    assert "none" in capsys.readouterr().err


def test_a_server_that_fails_is_1_with_a_remedy(file, capsys):
    assert rerank("127.0.0.1:1", file) == 1
    assert "start the server" in capsys.readouterr().err


def test_a_request_may_do_without_a_history():
    request = {name: REQUEST[name] for name in ("user", "candidates")}
    assert read_request(json.dumps(request)).history == []


def test_a_server_is_ready_when_it_ranks_the_canary(target):
    assert probe.probe(target, FEATURES) == Readiness(True, 1)


def test_a_server_without_the_model_is_not_ready(target):
    readiness = probe.probe(target, FEATURES, "nope")
    assert not readiness.is_ready
    assert "Could not find any versions of model nope" in readiness.reason


def test_a_model_that_answers_nan_is_not_ready(target, monkeypatch):
    """Its state says available, as that of the real server would."""
    status = probe.model_status(target)
    monkeypatch.setattr(probe, "model_status", lambda *ignored: status)
    with fake_server(answer([[0, 1]], [[np.nan, 1.0]])) as (sick, _):
        readiness = probe.probe(sick, FEATURES)
    assert not readiness.is_ready and "not finite" in readiness.reason


def test_a_model_without_an_available_version_is_not_ready(target, monkeypatch):
    (status,) = probe.model_status(target)
    status.state, status.status.error_message = 50, "it broke"
    monkeypatch.setattr(probe, "model_status", lambda *ignored: [status])
    readiness = probe.probe(target, FEATURES)
    assert not readiness.is_ready and "state 50 it broke" in readiness.reason


def test_the_canary_is_a_request_of_the_feature_set():
    made = canary(FEATURES)
    assert made.labels is None
    assert len({one["item_id"] for one in made.candidates}) == 2


def test_the_probe_command_is_0_when_ready_and_else_1(target, capsys):
    assert probe.main([f"--target={target}"]) == 0
    assert capsys.readouterr().out == "ready: version 1 of psad\n"
    assert probe.main(["--target=127.0.0.1:1", "--timeout=1"]) == 1
    assert capsys.readouterr().err.startswith("not ready: UNAVAILABLE")
