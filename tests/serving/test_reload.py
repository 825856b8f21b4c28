"""New, broken and withdrawn versions under load, at a real server."""

import shutil
import threading
import time
from collections import Counter

import grpc
import numpy as np
import pytest
from embedded import publish, start
from raw_client import predict_request
from serving_lists import FEATURES, ranking_list

from serving.client import RerankClient
from serving.messages import AVAILABLE, END, PREDICT
from serving.probe import model_status

LIST = ranking_list([1, 3, 2])
# What each export makes of it.
ORDERS = {"up": ("i1", "i2", "i0"), "down": ("i0", "i2", "i1")}


class Load:
    """Clients that ask without a pause and keep count of every answer."""

    def __init__(self, target, clients=3):
        self.answers = Counter()
        self.failures = []
        self._target = target
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        with RerankClient(self._target, FEATURES, timeout=10) as client:
            while not self._stop.is_set():
                try:
                    answer = client.rerank(LIST)
                    self.answers[answer.model_version, answer.item_ids] += 1
                except Exception as error:
                    self.failures.append(error)

    def wait_for(self, version, seconds=15.0):
        """Until that version has answered 20 times more than by now."""
        wanted = self.count(version) + 20
        end = time.monotonic() + seconds
        while self.count(version) < wanted and time.monotonic() < end:
            time.sleep(0.02)
        assert self.count(version) >= wanted, self.answers

    def count(self, version):
        answers = dict(self.answers)
        return sum(n for (number, _), n in answers.items() if number == version)


def test_calls_past_the_queue_are_shed_and_the_others_answered(base):
    server, target = start(base, grpc_max_threads=1, max_queued_requests=16)
    request = predict_request("slow", {"steps": np.array(1000, np.int32)})
    # A plain channel: the client's would try again what is shed.
    with grpc.insecure_channel(target) as channel:
        ask = channel.unary_unary(PREDICT)
        message = request.SerializeToString()
        calls = [ask.future(message, timeout=30) for _ in range(100)]
        codes = Counter(call.code().name for call in calls)
    server.stop()
    assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"}
    assert codes["OK"] >= 17


@pytest.fixture
def served(base):
    """(base path, target) of a server of its own."""
    server, target = start(base)
    yield base, target
    server.stop()


def test_no_answer_is_lost_or_mixed_while_versions_change(served, exports):
    base, target = served
    with Load(target) as load:
        load.wait_for(1)
        publish(exports["down"], base, 2)
        load.wait_for(2)
        publish(exports["up"], base, 3)
        load.wait_for(3)
        shutil.rmtree(base / "3")  # withdrawn: back to 2
        load.wait_for(2)
    assert load.failures == []
    assert set(load.answers) == {
        (1, ORDERS["up"]),
        (2, ORDERS["down"]),
        (3, ORDERS["up"]),
    }


def test_a_broken_version_is_reported_and_the_old_one_keeps_serving(served, exports):
    base, target = served
    with Load(target, clients=1) as load:
        broken = shutil.copytree(exports["down"], base / "tmp-2")
        shutil.rmtree(broken / "variables")
        broken.rename(base / "2")
        end = time.monotonic() + 15
        while (newest := model_status(target)[0]).version != 2 or newest.state != END:
            assert time.monotonic() < end
            time.sleep(0.05)
        load.wait_for(1)
    assert newest.status.error_code != 0
    assert "variables" in newest.status.error_message
    old = model_status(target)[1]
    assert (old.version, old.state, old.status.error_code) == (1, AVAILABLE, 0)
    assert load.failures == []
    assert set(load.answers) == {(1, ORDERS["up"])}
