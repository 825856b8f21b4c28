"""The clients against a server that fails, and answers, as told."""

import time
from dataclasses import replace

import grpc
import numpy as np
import pytest
from client_kinds import any_client  # noqa: F401
from fake_server import answer, fake_server
from serving_lists import FEATURES, ranking_list

from psad_tf.data.errors import DataError
from psad_tf.data.examples import decode_list
from serving.answers import Reranked
from serving.errors import RerankError
from serving.messages import PredictResponse
from serving.tensors import fill_tensor, read_tensor

Code = grpc.StatusCode
THREE = ranking_list([3, 2, 1], ["a", "b", "c"])


def test_items_come_back_best_first_with_their_scores(client):
    # The server scores a, b, c with 0.1, 0.3, 0.2.
    response = answer([[1, 2, 0]], [[0.1, 0.3, 0.2]])
    with fake_server(response) as (target, _), client(target) as one:
        got = one.rerank(THREE)
    expected = tuple(np.float32([0.3, 0.2, 0.1]).tolist())
    assert got == Reranked(("b", "c", "a"), expected, (1, 2, 0), model_version=3)


def test_the_request_names_the_model_and_carries_the_encoded_list(client):
    labelled = replace(THREE, labels=[0.0, 1.0, 0.0], request_id="r", timestamp=5)
    with fake_server(answer([[0, 1, 2]])) as (target, calls):
        with client(target, model_name="other") as one:
            one.rerank(labelled)
    (request,) = calls
    assert request.model_spec.name == "other"
    assert request.model_spec.signature_name == "serving_default"
    (example,) = read_tensor(request.inputs["examples"])
    # The labels, which a server must not need, stay at home.
    assert decode_list(example, FEATURES) == replace(
        THREE, candidates=tuple(THREE.candidates), history=tuple(THREE.history)
    )


def test_a_batch_is_one_call_and_keeps_its_order(client):
    short = ranking_list([1], ["z"])
    with fake_server(answer([[2, 1, 0], [0]])) as (target, calls):
        with client(target) as one:
            got = one.rerank_batch([THREE, short])
    assert [r.item_ids for r in got] == [("c", "b", "a"), ("z",)]
    assert len(calls) == 1


def test_a_list_without_candidates_needs_no_server(client):
    empty = ranking_list([])
    with fake_server(answer([[2, 1, 0]])) as (target, calls):
        with client(target) as one:
            assert one.rerank(empty) == Reranked(())
            assert calls == []
            got = one.rerank_batch([empty, THREE, empty])
    assert [r.item_ids for r in got] == [(), ("c", "b", "a"), ()]
    assert len(calls) == 1


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED])
def test_a_shed_call_is_tried_again(client, code):
    with fake_server(code, code, answer([[2, 1, 0]])) as (target, calls):
        with client(target) as one:
            assert one.rerank(THREE).item_ids == ("c", "b", "a")
    assert len(calls) == 3


@pytest.mark.parametrize(
    "code", [Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.INTERNAL, Code.UNKNOWN]
)
def test_other_failures_are_told_at_once(client, code):
    with fake_server(code) as (target, calls), client(target) as one:
        with pytest.raises(RerankError, match="as the test says") as raised:
            one.rerank(THREE)
    assert raised.value.code == code.name
    assert raised.value.remedy
    assert len(calls) == 1


def test_retries_end_with_the_deadline(client):
    with fake_server(Code.UNAVAILABLE) as (target, calls):
        with client(target, timeout=0.3) as one:
            began = time.monotonic()
            with pytest.raises(RerankError) as raised:
                one.rerank(THREE)
            took = time.monotonic() - began
    assert raised.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert took < 2.0
    assert 1 <= len(calls) <= 5


def test_a_slow_server_meets_the_deadline(client):
    def slow(request):
        time.sleep(1.0)
        return answer([[0, 1, 2]])

    with fake_server(slow) as (target, _), client(target, timeout=0.2) as one:
        with pytest.raises(RerankError, match="raise the timeout") as raised:
            one.rerank(THREE)
    assert raised.value.code == "DEADLINE_EXCEEDED"


def test_no_server_is_told_with_its_remedy(client):
    with client("127.0.0.1:1", timeout=1.0) as one:
        with pytest.raises(RerankError, match="start the server") as raised:
            one.rerank(THREE)
    assert raised.value.code == "UNAVAILABLE"


def test_a_fallback_is_the_initial_order_with_the_reason(client):
    with fake_server(Code.INTERNAL) as (target, _):
        with client(target, fallback=True) as one:
            got = one.rerank_batch([THREE, ranking_list([]), ranking_list([1])])
    first, empty, last = got
    assert (first.item_ids, first.order) == (("a", "b", "c"), (0, 1, 2))
    assert first.is_fallback and first.reason.startswith("INTERNAL: ")
    assert first.scores == () and first.model_version is None
    assert not empty.is_fallback
    assert last.item_ids == ("i0",) and last.is_fallback


def test_the_callers_own_mistakes_are_never_hidden_by_the_fallback(client):
    wrong = replace(THREE, user={"user_id": "1"})
    with client("127.0.0.1:1", fallback=True) as one:
        with pytest.raises(DataError, match="user_age"):
            one.rerank(wrong)


def without(name):
    response = answer([[0, 1, 2]])
    del response.outputs[name]
    return response


def with_output(name, array):
    response = without(name)
    fill_tensor(response.outputs[name], array)
    return response


BAD_ANSWERS = {
    "no score": (without("scores"), "no output 'scores' among"),
    "no order": (without("order"), "no output 'order' among"),
    "nothing": (PredictResponse(), "no output 'scores'"),
    "an item twice": (answer([[0, 1, 1]]), "not a permutation"),
    "an item too few": (answer([[0, 1]]), "not a permutation"),
    "an item too many": (answer([[0, 1, 2, 3]]), "not a permutation"),
    "an unknown item": (answer([[0, 1, 7]]), "not a permutation"),
    "NaN": (answer([[0, 1, 2]], [[1, np.nan, 0]]), "not finite"),
    "infinity": (answer([[0, 1, 2]], [[np.inf, 1, 0]]), "not finite"),
    "another batch": (answer([[0, 1, 2]] * 2), "for 1 lists"),
    "too narrow": (with_output("order", np.zeros((1, 2), np.int32)), "of up to 3"),
    "unequal": (with_output("order", np.zeros((1, 9), np.int32)), "order is"),
    "flat": (with_output("scores", np.zeros(20, np.float32)), r"\(20,\)"),
    "floats": (with_output("order", np.zeros((1, 20), np.float32)), "float32"),
    "text": (with_output("order", np.full((1, 20), b"", object)), "object"),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_an_answer_that_is_no_ranking_is_refused(client, case):
    response, told = BAD_ANSWERS[case]
    with fake_server(response) as (target, _), client(target) as one:
        with pytest.raises(RerankError, match=told) as raised:
            one.rerank(THREE)
        assert raised.value.code == "BAD_ANSWER"
    with fake_server(response) as (target, _), client(target, fallback=True) as one:
        assert one.rerank(THREE).is_fallback


def test_an_answer_of_more_than_four_megabytes_passes(client):
    # gRPC's own limit for an answer is 4 MiB; the client lifts it.
    big = answer([[0, 1, 2]])
    fill_tensor(big.outputs["more"], np.zeros(2**21, np.float32))
    with fake_server(big) as (target, _), client(target) as one:
        assert one.rerank(THREE).item_ids == ("a", "b", "c")
