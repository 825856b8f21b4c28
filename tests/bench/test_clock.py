"""Clocks: what ran in one call, what a queue tells, and who is to be believed."""

import pytest

from psad_tf.bench import clock
from psad_tf.bench.clock import Queue, spans, truer


def test_spans_part_where_nothing_runs():
    # Out of order, overlapping, a short gap within the first call.
    events = [(0.003, 0.0035), (0.0, 0.002), (0.0005, 0.001), (0.02, 0.021)]
    assert spans(events, pause=0.004) == pytest.approx([0.0035, 0.001])
    assert spans([]) == []


def test_the_host_knows_better_where_it_waited_less():
    assert truer([3.0, 3.0, 9.0], [1.0, 2.0, 8.0]) == ([1.0, 2.0, 8.0], "host")
    assert truer([1.0, 2.0, 8.0], [3.0, 3.0, 9.0]) == ([1.0, 2.0, 8.0], "device")
    assert truer(None, [1.0]) == ([1.0], "host")


class Host:
    """Stands in for time: to wait takes `waiting`, and each call what it says."""

    def __init__(self, monkeypatch, waiting, calls):
        self.now, self.calls, self.made = 0.0, iter(calls), 0
        monkeypatch.setattr(clock.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(clock.jax, "block_until_ready", self.wait)
        self.waiting = waiting

    def start(self):
        self.made += 1
        self.now += next(self.calls)

    def wait(self, _):
        self.now += self.waiting


def test_a_queue_leaves_out_what_the_caller_waits_for_besides(monkeypatch):
    # A call takes 4 ms and the caller 1 more, so two are a queue; one is slower later.
    host = Host(monkeypatch, 1e-3, [9e-3, 4e-3, 4e-3] + [4e-3] * 5 + [6e-3])
    assert Queue(host.start).seconds() == pytest.approx(5e-3)
    assert host.made == 3 + 2 + 4


def test_a_queue_is_as_long_as_its_calls_are_short(monkeypatch):
    host = Host(monkeypatch, 0, [4e-4] * 78)
    assert Queue(host.start).seconds() == pytest.approx(4e-4)
    assert host.made == 3 + 25 + 50


def test_a_queue_that_was_held_up_is_made_again_a_few_times(monkeypatch):
    held_up = [9.0, 1.0, 1.0]
    host = Host(monkeypatch, 0, [1.0] * 3 + held_up + [1.0] * 3)
    assert Queue(host.start).seconds() == pytest.approx(1.0)
    host = Host(monkeypatch, 0, [1.0] * 3 + held_up * 3)
    with pytest.raises(RuntimeError, match="2 calls took 2.0 s and 1 9.0 s"):
        Queue(host.start).seconds()


class Device:
    """Stands in for a device: a call keeps it busy for what it says."""

    def __init__(self, seconds, lost=()):
        self.seconds, self.lost, self.traces = seconds, lost, []

    def traced(self, runs, rounds):
        self.traces.append(rounds)
        calls = [self.seconds[run] for run in [*runs] * rounds]
        events = [(i, i + busy) for i, busy in enumerate(calls)]
        return events[1:] if len(self.traces) in self.lost else events


@pytest.fixture
def use(monkeypatch):
    def with_device(device):
        monkeypatch.setattr(clock.jax, "default_backend", lambda: "gpu")
        monkeypatch.setattr(clock, "_traced", device.traced)
        return device

    return with_device


def test_many_rounds_are_watched_in_parts(use):
    device = use(Device({"a": 0.25, "b": 0.5}))
    found = clock.device_seconds(["a", "b"], 45)
    assert device.traces == [20, 20, 5]
    assert found == [[0.25] * 45, [0.5] * 45]


def test_a_part_that_lost_a_call_is_watched_again_a_few_times(use):
    device = use(Device({"a": 0.25}, lost=(1, 2)))
    assert clock.device_seconds(["a"], 3) == [[0.25] * 3]
    assert device.traces == [3, 3, 3]
    use(Device({"a": 0.25}, lost=(1, 2, 3)))
    assert clock.device_seconds(["a"], 3) is None


def test_without_a_clock_there_are_no_seconds(monkeypatch):
    monkeypatch.setattr(clock.jax, "default_backend", lambda: "cpu")
    assert clock.device_seconds(["a"], 3) is None
