"""Prometheus text, and what the server counts."""

import re
import urllib.request

import numpy as np
from raw_client import fault, predict, predict_request

from serving.messages import PREDICT
from serving.metrics import BUCKETS, Metrics

THREE = {"steps": np.array(3, np.int32)}


def test_a_counter_is_a_line_for_each_set_of_labels():
    metrics = Metrics()
    for status in ("OK", "OK", "INTERNAL"):
        metrics.count("c", model_name="m", status=status)
    assert metrics.text().splitlines() == [
        "# TYPE c counter",
        'c{model_name="m",status="INTERNAL"} 1',
        'c{model_name="m",status="OK"} 2',
    ]


def test_a_histogram_counts_up_to_each_limit():
    metrics = Metrics()
    for microseconds in (5, 10, 11, 1e30):
        metrics.observe("h", microseconds / 1e6, API="predict")
    lines = metrics.text().splitlines()
    assert lines[:4] == [
        "# TYPE h histogram",
        'h_bucket{API="predict",le="10"} 2',
        'h_bucket{API="predict",le="18"} 3',
        'h_bucket{API="predict",le="32.4"} 3',
    ]
    assert lines[-3] == 'h_bucket{API="predict",le="+Inf"} 4'
    assert lines[-1] == 'h_count{API="predict"} 4'
    assert float(lines[-2].split()[-1]) == 1e30
    assert len(lines) == 1 + len(BUCKETS) + 3


def test_limits_are_those_of_the_real_server():
    """10 microseconds, each limit 1.8 times the one before."""
    np.testing.assert_allclose(BUCKETS[:4], [10, 18, 32.4, 58.32])
    assert len(BUCKETS) == 33


def test_a_gauge_is_read_when_it_is_asked_for():
    metrics, length = Metrics(), [1]
    metrics.gauge("g", lambda: [((), length[0])])
    assert metrics.text() == "# TYPE g gauge\ng 1\n"
    length[0] = 2
    assert metrics.text() == "# TYPE g gauge\ng 2\n"


def test_labels_are_escaped():
    metrics = Metrics()
    metrics.count("c", name='a"b\\c\nd')
    assert metrics.text().splitlines()[1] == 'c{name="a\\"b\\\\c\\nd"} 1'


def series(rest_url):
    url = f"{rest_url}/monitoring/prometheus/metrics"
    with urllib.request.urlopen(url, timeout=10) as reply:
        assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = reply.read().decode()
    return {
        name: float(value)
        for name, value in re.findall(r"^([^#\n].*) (\S+)$", text, re.M)
    }


def counted(before, after):
    """What was added, without buckets and sums."""
    return {
        name.removeprefix(":tensorflow:serving:"): after[name] - before.get(name, 0)
        for name in after
        if after[name] != before.get(name, 0) and not re.search("_bucket|_sum", name)
    }


def test_every_request_is_counted_and_those_answered_are_timed(target, rest_url):
    before = series(rest_url)
    predict(target, predict_request("slow", THREE))
    fault(target, PREDICT, predict_request("zz"))
    fault(target, PREDICT, predict_request(name="nope1"))
    fault(target, PREDICT, predict_request(name="nope2"))
    added = counted(before, series(rest_url))
    predicted = 'API="predict"'
    assert added == {
        'request_count{model_name="psad",status="OK"}': 1,
        'request_count{model_name="psad",status="FAILED_PRECONDITION"}': 1,
        # One series, whatever names clients make up.
        'request_count{model_name="unknown",status="NOT_FOUND"}': 2,
        f'request_latency_count{{model_name="psad",{predicted},entrypoint="GRPC"}}': 1,
        f'runtime_latency_count{{model_name="psad",{predicted},runtime="TF1"}}': 1,
    }


def test_the_served_versions_and_the_queue_are_told(rest_url):
    told = series(rest_url)
    assert told['psad:serving:served_version{model_name="psad",version="1"}'] == 1
    assert told["psad:serving:queued_requests"] == 0
