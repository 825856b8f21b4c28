"""Faults of a server in a process of its own, each with an account of every request."""

import re
import shutil
import socket
import urllib.request
from collections import Counter

import numpy as np
import pytest
from counted_load import LIST, CountedLoad, is_right
from embedded import free_port
from parity_requests import RELOAD, listed, reload_of
from raw_client import call, predict_request
from server_process import ServerProcess
from serving_lists import FEATURES
from waiting import wait_until

from serving.client import RerankClient
from serving.client_channel import open_channel
from serving.client_policy import Breaking, CallPolicy, Retries
from serving.messages import AVAILABLE, END, PREDICT, PredictResponse
from serving.probe import model_status
from serving.tensors import read_tensor

ONCE = CallPolicy(retries=None, breaking=None)  # hides nothing
RELOADS = 100
PLACES, QUEUE = 4, 8
# Steps of the slow signature: a moment, longer than sending a hundred calls takes on a
# busy machine, some seconds, and longer than any test.
MOMENT, WHILE, SECONDS, NEVER = (np.array(10**n, np.int32) for n in (4, 5, 6, 9))


class Site:
    """A folder of versions, each of which multiplies by its number, and its server."""

    def __init__(self, export, folder):
        self._export, self.base = export, folder / "models"
        self.base.mkdir()
        monitoring = folder / "monitoring.config"
        monitoring.write_text("prometheus_config { enable: true }")
        self.rest_port, self.newest = free_port(), 0
        self._flags = {
            "grpc_max_threads": PLACES,
            "max_queued_requests": QUEUE,
            "rest_api_port": self.rest_port,
            "monitoring_config_file": monitoring,
        }
        self.publish()
        self.server = ServerProcess(self.base, **self._flags)
        self.target = self.server.target

    def publish(self, breaks=lambda folder: None):
        """The next version: written under another name, and renamed."""
        import tiny_model

        self.newest += 1
        hidden = self.base / f"tmp-{self.newest}"
        tiny_model.rescaled(self._export, hidden, self.newest)
        breaks(hidden)
        return hidden.rename(self.base / str(self.newest))

    def look(self):
        """Has the server look at the folder now, and returns when it has."""
        config = f"model_config_list {{ {listed(path=self.base)} }}"
        call(self.target, RELOAD, reload_of(config), timeout=60)

    def restart(self):
        self.server = ServerProcess(self.base, self.server.port, **self._flags)

    def count(self, status):
        """How many requests the server says it has ended so."""
        metrics = "monitoring/prometheus/metrics"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.rest_port}/{metrics}"
        ) as page:
            text = page.read().decode()
        line = rf':request_count{{.*status="{status}".*}} (\d+)'
        return sum(map(int, re.findall(line, text)))


@pytest.fixture(scope="module")
def site(exports, tmp_path_factory):
    made = Site(exports["up"], tmp_path_factory.mktemp("site"))
    yield made
    made.server.kill()


def assert_all_answered(load):
    assert load.failures == [] and load.wrong == []
    assert load.sent == load.accounted == load.answers.total() > 0


def test_a_hundred_hot_reloads_lose_no_request_and_mix_no_answer(site):
    first, before = site.newest, 0
    with (
        RerankClient(site.target, FEATURES, timeout=30, policy=ONCE) as client,
        CountedLoad(site.target, timeout=30, policy=ONCE) as load,
    ):
        for number in range(first + 1, first + RELOADS + 1):
            site.publish()
            site.look()
            found = client.rerank(LIST)
            assert found.model_version == number and is_right(found)
            shutil.rmtree(site.base / str(number - 1))
            if number == first + RELOADS // 4:  # what is made once is there by now
                before = site.server.memory
        load.wait_for(site.newest)
    assert_all_answered(load)
    assert load.answers.keys() <= {*range(first, site.newest + 1)}
    assert len(load.answers) > RELOADS / 2
    assert site.server.memory - before < 48 * 2**20


def without_variables(folder):
    shutil.rmtree(folder / "variables")


def half_copied(folder):
    data = folder / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-4])


def garbage(folder):
    (folder / "saved_model.pb").write_bytes(bytes(range(256)) * 9)


def cut(folder):
    graph = folder / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])


def badly_warmed(folder):
    (folder / "assets.extra").mkdir()
    record = folder / "assets.extra" / "tf_serving_warmup_requests"
    record.write_bytes(b"no record" * 9)


@pytest.mark.parametrize(
    "breaks", [without_variables, half_copied, garbage, cut, badly_warmed]
)
def test_a_bad_version_is_reported_and_answers_nobody(site, breaks):
    good = site.newest
    with CountedLoad(site.target, clients=2, timeout=30, policy=ONCE) as load:
        load.wait_for(good)
        folder = site.publish(breaks)
        site.look()
        newest, before = model_status(site.target)[:2]
        load.wait_for(good)
        shutil.rmtree(folder)
        site.publish()
        site.look()
        load.wait_for(site.newest)
    assert (newest.version, newest.state) == (good + 1, END)
    assert newest.status.error_code and newest.status.error_message
    assert (before.version, before.state) == (good, AVAILABLE)
    assert_all_answered(load)
    assert load.answers.keys() == {good, good + 2}
    shutil.rmtree(site.base / str(good))


def slow_calls(channel, count, steps, timeout=60):
    ask = channel.unary_unary(PREDICT)
    message = predict_request("slow", {"steps": steps}).SerializeToString()
    return [ask.future(message, timeout=timeout) for _ in range(count)]


def codes(calls):
    return Counter(one.code().name for one in calls)


def has_all_places(channel):
    calls = slow_calls(channel, PLACES + QUEUE, MOMENT)
    return codes(calls) == {"OK": PLACES + QUEUE}


def test_a_version_deleted_while_in_use_answers_what_it_has_begun(site):
    older = site.newest
    site.publish()
    site.look()
    with (
        open_channel(site.target) as channel,
        CountedLoad(site.target, clients=2, timeout=30, policy=ONCE) as load,
    ):
        load.wait_for(site.newest)
        (slow,) = slow_calls(channel, 1, SECONDS)
        load.wait_for(site.newest)
        shutil.rmtree(site.base / str(site.newest))
        site.look()
        load.wait_for(older)
        assert not slow.done()
        answer = PredictResponse.FromString(slow.result())
    assert answer.model_spec.version.value == site.newest
    assert read_tensor(answer.outputs["steps"]) == SECONDS
    assert_all_answered(load)
    assert load.answers.keys() == {older, site.newest}
    site.publish()
    site.look()


def test_deadlines_end_slow_requests_and_free_their_places(site):
    answered = site.count("OK")
    with open_channel(site.target) as channel:
        running = slow_calls(channel, PLACES, NEVER, timeout=1.0)
        queued = slow_calls(channel, QUEUE // 2, NEVER, timeout=1.0)
        assert codes([*running, *queued]) == {"DEADLINE_EXCEEDED": PLACES + QUEUE // 2}
        with CountedLoad(site.target, clients=2, timeout=5, policy=ONCE) as load:
            load.wait_for(site.newest)
        assert_all_answered(load)
        assert site.count("OK") == answered + load.sent
        # Every place is free again for what comes after, once its thread has seen that
        # nobody waits any more.
        wait_until(lambda: has_all_places(channel))


def test_a_full_queue_sheds_the_surplus_at_once_and_serves_the_rest(site):
    shed, fine = site.count("RESOURCE_EXHAUSTED"), site.count("OK")
    with open_channel(site.target) as channel:
        calls = slow_calls(channel, 60, WHILE)
        found = codes(calls)
    assert found.keys() == {"OK", "RESOURCE_EXHAUSTED"} and found.total() == 60
    assert found["OK"] >= PLACES + QUEUE
    assert site.count("OK") == fine + found["OK"]
    # Those past what gRPC takes at all never reach the services that count.
    assert site.count("RESOURCE_EXHAUSTED") - shed <= found["RESOURCE_EXHAUSTED"]


def test_clients_that_disconnect_leave_their_places_to_others(site):
    with CountedLoad(site.target, clients=2, timeout=30, policy=ONCE) as load:
        for _ in range(20):
            with open_channel(site.target) as channel:
                calls = slow_calls(channel, 2, MOMENT)
                calls[0].cancel()
            ended = codes(calls)  # the other one may just have been answered
            assert ended["CANCELLED"] and ended["CANCELLED"] + ended["OK"] == 2
            with socket.create_connection(site.target.split(":")) as line:
                line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4")
            load.wait_for(
                site.newest, more=50
            )  # what is under way there ends meanwhile
    assert_all_answered(load)


def test_a_server_killed_and_restarted_is_found_again_and_every_call_ends(site):
    policy = CallPolicy(Retries(), breaking=Breaking(failures=20, pause=0.1))
    given = {"timeout": 2.0, "fallback": True, "policy": policy}
    with CountedLoad(site.target, **given) as load:
        load.wait_for(site.newest)
        site.server.kill()
        load.wait_for_fall_backs()
        site.restart()
        load.wait_for(site.newest)
    assert load.failures == [] and load.wrong == []
    assert load.sent == load.accounted
    assert load.answers.keys() == {site.newest}
    assert load.fell_back.keys() <= {"UNAVAILABLE", "CIRCUIT_OPEN", "DEADLINE_EXCEEDED"}
    assert load.counted("requests") == load.sent
    assert load.counted("requests", code="OK") == load.answers.total()
    assert load.counted("fallback_lists") == load.fell_back.total()
