"""Counters and the text that Prometheus reads."""

import doctest
import re
import threading

import pytest

from serving import client_metrics
from serving.client_metrics import BOUNDS, ClientMetrics


def test_the_documented_values():
    done = doctest.testmod(client_metrics)
    assert done.attempted and not done.failed


def test_the_text_is_what_prometheus_reads():
    metrics = ClientMetrics()
    metrics.count("requests", code="OK")
    metrics.count("requests", 2, code="UNAVAILABLE")
    metrics.count("retries")
    for seconds in (0.001, 0.0015, 0.3, 99.0):
        metrics.observe(seconds)
    metrics.set_circuit(True)
    lines = metrics.text().splitlines()
    for line in lines:
        is_told = re.fullmatch(r"# (HELP|TYPE) psad_client_\w+ .+", line)
        is_sample = re.fullmatch(r'psad_client_\w+(\{\w+="[^"]*"\})? [\d.]+', line)
        assert is_told or is_sample, line
    for line in (
        'psad_client_requests_total{code="OK"} 1',
        'psad_client_requests_total{code="UNAVAILABLE"} 2',
        "psad_client_retries_total 1",
        "psad_client_circuit_open 1",
        # A bound belongs to its own bucket, and buckets hold all below.
        'psad_client_request_seconds_bucket{le="0.001"} 1',
        'psad_client_request_seconds_bucket{le="0.002"} 2',
        'psad_client_request_seconds_bucket{le="0.2"} 2',
        'psad_client_request_seconds_bucket{le="0.5"} 3',
        'psad_client_request_seconds_bucket{le="10.0"} 3',
        'psad_client_request_seconds_bucket{le="+Inf"} 4',
        "psad_client_request_seconds_count 4",
        "psad_client_request_seconds_sum 99.3025",
    ):
        assert line in lines
    buckets = [line for line in lines if "_bucket" in line]
    assert len(buckets) == len(BOUNDS) + 1


def test_each_name_is_told_once():
    lines = ClientMetrics().text().splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 8


def test_a_counter_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="no counter 'request'"):
        ClientMetrics().count("request")


def test_threads_lose_no_count():
    metrics = ClientMetrics()

    def work():
        for _ in range(2000):
            metrics.count("attempts", code="OK")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.value("attempts") == 8000
