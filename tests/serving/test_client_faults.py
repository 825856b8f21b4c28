"""Every call counted, while the server goes away, comes back, and sheds load."""

import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
from client_kinds import any_client  # noqa: F401
from fake_server import answer
from serving_lists import FEATURES, ranking_list

from psad_tf.data.examples import decode_list
from psad_tf.features import ITEM_ID
from serving.client import RerankClient
from serving.client_policy import Breaking, CallPolicy, Hedging, Retries
from serving.errors import RerankError
from serving.messages import PREDICT, PredictRequest
from serving.tensors import read_tensor


class Server:
    """Ranks every list by its items' names, best last in the alphabet."""

    def __init__(self, port=0, fails=lambda: False):
        self.calls = 0
        self.fails = fails
        handler = grpc.unary_unary_rpc_method_handler(self.predict)
        service, _, method = PREDICT[1:].partition("/")
        handlers = grpc.method_handlers_generic_handler(service, {method: handler})
        self.server = grpc.server(futures.ThreadPoolExecutor(8), [handlers])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()
        self.target = f"127.0.0.1:{self.port}"

    def predict(self, request, context):
        self.calls += 1
        if self.fails():
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "shed")
        rows = read_tensor(PredictRequest.FromString(request).inputs["examples"])
        lists = [decode_list(row, FEATURES) for row in rows]
        names = [[c[ITEM_ID] for c in one.candidates] for one in lists]
        orders = [sorted(range(len(n)), key=n.__getitem__)[::-1] for n in names]
        return answer(orders).SerializeToString()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.server.stop(None).wait()


def named(number):
    """A list of its own, and the order it must come back in."""
    names = [f"{number:03}{letter}" for letter in "abcd"]
    return ranking_list([1, 2, 3, 4], names), tuple(reversed(names))


def test_a_server_that_comes_back_is_found_by_the_same_client(client):
    given, expected = named(1)
    policy = CallPolicy(breaking=Breaking(failures=5, pause=0.1))
    with Server() as first:
        one = client(first.target, fallback=True, timeout=1.0, policy=policy)
        assert one.rerank(given).item_ids == expected
    with one:
        down = [one.rerank(given) for _ in range(5)]
        assert all(r.is_fallback and r.order == (0, 1, 2, 3) for r in down)
        assert {r.reason.partition(":")[0] for r in down} <= {
            "UNAVAILABLE",
            "CIRCUIT_OPEN",
            "DEADLINE_EXCEEDED",
        }
        with Server(first.port):
            until, asked = time.monotonic() + 20, 0
            while (found := one.rerank(given)).is_fallback:
                asked += 1
                assert time.monotonic() < until, found.reason
            assert found.item_ids == expected
        ended = one.metrics.value("requests")
        fell_back = one.metrics.value("fallback_lists")
    assert ended == 1 + 5 + asked + 1 and fell_back == 5 + asked


# So many attempts that a tenth of failures leaves no call without an answer.
PATIENT = Retries(attempts=12, first_wait=0.01)


@pytest.mark.parametrize(
    "policy", [CallPolicy(PATIENT), CallPolicy(PATIENT, Hedging(0.001))]
)
def test_threads_share_a_client_and_get_their_own_answers(policy):
    random, calls = np.random.default_rng(0), 400
    with Server(fails=lambda: random.random() < 0.1) as server:
        # Threads wait for each other here: none of this is about the deadline.
        with RerankClient(server.target, FEATURES, timeout=30, policy=policy) as one:

            def ask(number):
                given, expected = named(number)
                return one.rerank(given).item_ids == expected

            with futures.ThreadPoolExecutor(16) as pool:
                found = list(pool.map(ask, range(calls)))
            metrics = one.metrics
    assert found == [True] * calls
    assert metrics.value("requests", code="OK") == calls
    shed = metrics.value("attempts", code="RESOURCE_EXHAUSTED")
    assert metrics.value("retries") == shed
    assert metrics.value("attempts") == calls + shed
    # Each question that came was a try, or a hedge of one.
    assert server.calls <= metrics.value("attempts") + metrics.value("hedges")
    assert (metrics.value("hedges") > 0) == (policy.hedging is not None)


def test_a_new_client_does_not_wait_as_a_closed_one_would(client):
    once = CallPolicy(retries=None)
    with Server() as server:
        target, port = server.target, server.port
    errors = []  # as a log would keep them
    for number in range(5):
        with client(target, policy=once) as one:
            with pytest.raises(RerankError, match="UNAVAILABLE") as error:
                one.rerank(named(number)[0])
            errors.append(error)
        with Server(port), client(target, policy=once) as one:
            assert one.rerank(named(number)[0]).item_ids == named(number)[1]


@pytest.mark.parametrize("policy", [CallPolicy(), CallPolicy(hedging=Hedging(0.01))])
def test_closing_a_client_ends_its_calls(policy):
    came, released = threading.Event(), threading.Event()

    def stuck():
        came.set()
        return not released.wait(20)

    with Server(fails=stuck) as server, futures.ThreadPoolExecutor(1) as pool:
        one = RerankClient(server.target, FEATURES, timeout=20, policy=policy)
        asked = pool.submit(one.rerank, named(1)[0])
        assert came.wait(20)
        one.close()
        with pytest.raises(RerankError, match="CANCELLED.*client was closed"):
            asked.result(20)
        released.set()


def test_closing_between_the_last_look_and_the_second_question_cancels():
    released = threading.Event()
    policy = CallPolicy(hedging=Hedging(0.01))
    with Server(fails=lambda: not released.wait(20)) as server:
        one = RerankClient(server.target, FEATURES, timeout=20, policy=policy)
        one._stepper._budget.spend = lambda: one.close() or True
        with pytest.raises(RerankError, match="CANCELLED.*client was closed"):
            one.rerank(named(1)[0])
        released.set()


def test_a_batch_keeps_each_list_apart(client):
    lists, expected = zip(*map(named, range(30)), strict=True)
    with Server() as server, client(server.target) as one:
        found = one.rerank_batch(list(lists))
    assert tuple(r.item_ids for r in found) == expected
    assert server.calls == 1
