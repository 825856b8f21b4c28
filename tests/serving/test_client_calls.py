"""Retries, hedges, the circuit and the counters of both clients, on the wire."""

import threading
import time

import grpc
import pytest
from client_kinds import any_client  # noqa: F401
from fake_server import answer, fake_server
from serving_lists import ranking_list

from serving.client_channel import CHANNEL_OPTIONS
from serving.client_policy import Breaking, CallPolicy, Hedging, Retries
from serving.errors import RerankError

Code = grpc.StatusCode
THREE = ranking_list([3, 2, 1], ["a", "b", "c"])
GOOD = answer([[2, 1, 0]])
HASTY = CallPolicy(hedging=Hedging(after=0.05, share=1.0))


class Slow:
    """A step that answers once it is released."""

    def __init__(self, response=GOOD):
        self.response = response
        self.released = threading.Event()

    def __call__(self, request):
        assert self.released.wait(10)
        return self.response


@pytest.fixture
def slow():
    step = Slow(answer([[0, 1, 2]]))
    yield step
    step.released.set()


def counted(one):
    names = ("requests", "attempts", "retries", "hedges")
    return {name: one.metrics.value(name) for name in names}


def test_tries_and_answers_are_counted(client):
    with fake_server(Code.UNAVAILABLE, GOOD) as (target, _), client(target) as one:
        one.rerank_batch([THREE])
        one.rerank_batch([THREE])
        assert counted(one) == {
            "requests": 2,
            "attempts": 3,
            "retries": 1,
            "hedges": 0,
        }
        assert one.metrics.value("requests", code="OK") == 2
        assert one.metrics.value("attempts", code="UNAVAILABLE") == 1
        assert one.metrics.value("lists", model_version=3) == 2
        assert "psad_client_request_seconds_count 2" in one.metrics.text()


def test_the_number_of_attempts_is_the_policys(client):
    policy = CallPolicy(Retries(attempts=2, first_wait=0.01))
    with fake_server(Code.UNAVAILABLE) as (target, calls):
        with client(target, policy=policy) as one:
            with pytest.raises(RerankError, match="UNAVAILABLE"):
                one.rerank(THREE)
    assert len(calls) == 2


def test_without_retries_a_shed_call_fails_at_once(client):
    with fake_server(Code.UNAVAILABLE) as (target, calls):
        with client(target, policy=CallPolicy(retries=None)) as one:
            with pytest.raises(RerankError, match="UNAVAILABLE"):
                one.rerank(THREE)
    assert len(calls) == 1


def test_a_late_answer_is_asked_for_again_and_the_first_one_counts(client, slow):
    with fake_server(slow, GOOD) as (target, calls):
        with client(target, policy=HASTY) as one:
            assert one.rerank(THREE).item_ids == ("c", "b", "a")
            assert counted(one) | {"hedges": 1, "attempts": 1} == counted(one)
        slow.released.set()
    assert len(calls) == 2
    # They are the same question, and the server may count them as two.
    assert calls[0] == calls[1]


def test_an_early_answer_is_not_hedged(client):
    policy = CallPolicy(hedging=Hedging(after=5.0))
    with fake_server(GOOD) as (target, calls), client(target, policy=policy) as one:
        for _ in range(5):
            one.rerank(THREE)
        assert one.metrics.value("hedges") == 0
    assert len(calls) == 5


def test_a_hedge_that_fails_leaves_the_first_question_its_chance(client):
    first = Slow(GOOD)
    with fake_server(first, Code.UNAVAILABLE) as (target, calls):
        timer = threading.Timer(0.3, first.released.set)
        timer.start()
        with client(target, policy=HASTY) as one:
            assert one.rerank(THREE).item_ids == ("c", "b", "a")
            assert one.metrics.value("retries") == 0
        timer.join()
    assert len(calls) == 2


def test_a_slow_server_is_not_given_twice_the_work(client):
    # Nothing saved up but the first hedge, and a tenth of one a call.
    policy = CallPolicy(hedging=Hedging(after=0.01, share=0.1))

    def late(request):
        time.sleep(0.05)
        return GOOD

    with fake_server(late) as (target, calls), client(target, policy=policy) as one:
        for _ in range(5):
            one.rerank(THREE)
        assert one.metrics.value("hedges") == 1
    assert len(calls) == 6


def test_hedged_calls_meet_the_deadline(client, slow):
    with fake_server(slow) as (target, calls):
        with client(target, policy=HASTY, timeout=0.3) as one:
            with pytest.raises(RerankError, match="DEADLINE_EXCEEDED"):
                one.rerank(THREE)
        slow.released.set()
    assert len(calls) == 2


def test_a_closed_client_says_so(client):
    with fake_server(GOOD) as (target, calls):
        with client(target) as one:
            one.rerank(THREE)
            one.close()
            with pytest.raises(RerankError, match="client was closed; make another"):
                one.rerank(THREE)
        assert one.metrics.value("requests", code="CANCELLED") == 1
    assert len(calls) == 1


def test_an_open_circuit_spares_the_server_and_closes_by_a_trial(client):
    policy = CallPolicy(None, breaking=Breaking(failures=2, pause=0.5))
    script = Code.UNAVAILABLE, Code.UNAVAILABLE, GOOD
    with fake_server(*script) as (target, calls):
        with client(target, policy=policy, fallback=True) as one:
            failed = [one.rerank(THREE) for _ in range(2)]
            assert all(r.reason.startswith("UNAVAILABLE") for r in failed)
            spared = [one.rerank(THREE) for _ in range(3)]
            assert all(r.reason.startswith("CIRCUIT_OPEN") for r in spared)
            assert "see why the calls before it failed" in spared[0].reason
            assert len(calls) == 2
            assert "psad_client_circuit_open 1" in one.metrics.text()
            assert one.metrics.value("fallback_lists", code="CIRCUIT_OPEN") == 3
            time.sleep(0.5)
            assert one.rerank(THREE).item_ids == ("c", "b", "a")
            assert "psad_client_circuit_open 0" in one.metrics.text()
    assert len(calls) == 3


def test_answers_that_are_no_rankings_open_the_circuit_too(client):
    policy = CallPolicy(breaking=Breaking(failures=2, pause=9.0))
    with fake_server(answer([[0, 1, 1]])) as (target, calls):
        with client(target, policy=policy, fallback=True) as one:
            codes = [one.rerank(THREE).reason.split(":")[0] for _ in range(3)]
    assert codes == ["BAD_ANSWER", "BAD_ANSWER", "CIRCUIT_OPEN"]
    assert len(calls) == 2


def test_a_call_can_have_a_deadline_of_its_own(client, slow):
    with fake_server(slow, GOOD) as (target, _), client(target) as one:
        began = time.monotonic()
        with pytest.raises(RerankError, match="DEADLINE_EXCEEDED"):
            one.rerank(THREE, 0.1)
        assert time.monotonic() - began < 3
        slow.released.set()
        assert one.rerank(THREE).item_ids == ("c", "b", "a")


@pytest.mark.parametrize("timeout", [0, -1.0, float("inf"), float("nan")])
def test_there_is_always_a_deadline(client, timeout):
    with pytest.raises(ValueError, match="timeout=.*without a deadline"):
        client("127.0.0.1:1", timeout=timeout)
    with client("127.0.0.1:1") as one:
        with pytest.raises(ValueError, match="timeout=.*without a deadline"):
            one.rerank(THREE, timeout)


def test_an_answer_without_a_version_has_none(client):
    nameless = answer([[2, 1, 0]])
    nameless.ClearField("model_spec")
    with fake_server(nameless) as (target, _), client(target) as one:
        assert one.rerank(THREE).model_version is None


def test_connections_are_pinged_no_more_often_than_servers_allow():
    options = dict(CHANNEL_OPTIONS)
    assert options["grpc.keepalive_time_ms"] >= 300_000
