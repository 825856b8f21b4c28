"""Clients that ask for one version of a model, by its number or its label."""

import json

import pytest
from client_kinds import any_client  # noqa: F401
from fake_server import answer, fake_server
from raw_client import official
from serving_lists import FEATURES, ranking_list

from psad_tf import cli
from serving.errors import RerankError
from serving.predict_request import predict_request

LIST = ranking_list([3, 2, 1])
THIRD = answer([[0, 1, 2]], version=3)


@pytest.mark.parametrize("version", [None, 0, 3, "stable"])
def test_the_request_asks_for_it(client, version):
    answered = version if isinstance(version, int) else 3
    with fake_server(answer([[0, 1, 2]], version=answered)) as (target, calls):
        with client(target, version=version) as one:
            one.rerank(LIST)
    (spec,) = (request.model_spec for request in calls)
    choice = {None: None, 0: "version", 3: "version", "stable": "version_label"}
    assert spec.WhichOneof("version_choice") == choice[version]
    assert version in (None, spec.version.value, spec.version_label)


@pytest.mark.parametrize("version", [7, "stable"])
def test_the_official_message_reads_it(version):
    sent = predict_request([LIST], FEATURES, "psad", version=version)
    read = official("predict_pb2.PredictRequest")
    read.ParseFromString(sent.SerializeToString())
    spec = read.model_spec
    assert version in (spec.version.value, spec.version_label)
    assert (spec.name, spec.signature_name) == ("psad", "serving_default")


def test_another_version_in_its_place_is_an_error(client):
    with fake_server(THIRD) as (target, calls):
        with client(target, version=4) as one:
            with pytest.raises(RerankError) as caught:
                one.rerank(LIST)
            assert one.metrics.value("requests", code="BAD_ANSWER") == 1
        with client(target, version=4, fallback=True) as one:
            found = one.rerank(LIST)
    assert str(caught.value).startswith(
        "BAD_ANSWER: version 3 answered in place of version 4; see what stands between"
    )
    assert found.is_fallback and "version 3 answered" in found.reason
    assert len(calls) == 2  # asking again would not help


def test_an_answer_that_names_no_version_is_not_taken_for_the_one_asked_for(client):
    unnamed = answer([[0, 1, 2]])
    unnamed.model_spec.Clear()
    with fake_server(unnamed) as (target, _):
        with client(target, version=3) as one:
            with pytest.raises(RerankError, match="version None answered in place"):
                one.rerank(LIST)
        with client(target) as one:
            assert one.rerank(LIST).model_version is None


def test_which_version_a_label_stands_for_is_the_servers_business(client):
    with fake_server(THIRD) as (target, _), client(target, version="canary") as one:
        assert one.rerank(LIST).model_version == 3


@pytest.mark.parametrize("version", [-1, "", True, 2.0])
def test_a_version_that_cannot_be_is_refused(client, version):
    with pytest.raises(ValueError, match="give a version's number, its label, or"):
        client("127.0.0.1:1", version=version)


def test_the_command_asks_for_it(tmp_path, capsys):
    file = tmp_path / "request.json"
    asked = {"user": LIST.user, "candidates": LIST.candidates, "history": LIST.history}
    file.write_text(json.dumps(asked))
    with fake_server(THIRD) as (target, calls):
        given = ["rerank", "--target", target, "--request", str(file)]
        assert cli.main([*given, "--version", "3"]) == 0
        assert cli.main([*given, "--version", "canary"]) == 0
        assert cli.main([*given, "--version", "4"]) == 1
    assert [c.model_spec.version_label for c in calls] == ["", "canary", ""]
    assert [c.model_spec.version.value for c in calls] == [3, 0, 4]
    assert "version 3 answered in place of version 4" in capsys.readouterr().err
