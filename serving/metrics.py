"""Counts and latencies under the names of TensorFlow Serving, as Prometheus text.

Two differences from it: a request for a model that is not served is counted under the
name `unknown`, so that clients cannot make ever more series; and `psad:serving:...`
tells what it does not, the length of the queue and the versions that are served.
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN_MODEL = "unknown"
# Microseconds, each 1.8 times the one before, as the real server has them.
BUCKETS = tuple(10 * 1.8**power for power in range(33))

REQUEST_COUNT = ":tensorflow:serving:request_count"
REQUEST_LATENCY = ":tensorflow:serving:request_latency"
RUNTIME_LATENCY = ":tensorflow:serving:runtime_latency"
WARMUP_LATENCY = ":tensorflow:serving:model_warmup_latency"
QUEUE_LENGTH = "psad:serving:queued_requests"
SERVED_VERSION = "psad:serving:served_version"
HISTOGRAMS = (REQUEST_LATENCY, RUNTIME_LATENCY, WARMUP_LATENCY)

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """The metrics of one server; may be shared among threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counters = defaultdict(int)
        self._histograms: dict[tuple[str, Labels], _Histogram] = {}
        self._gauges: dict[str, Callable[[], Iterable[tuple[Labels, float]]]] = {}

    def count(self, name: str, /, **labels: str) -> None:
        """Adds one to a counter."""
        with self._lock:
            self._counters[name, tuple(labels.items())] += 1

    def observe(self, name: str, seconds: float, /, **labels: str) -> None:
        """Adds a duration to a histogram of microseconds."""
        key = name, tuple(labels.items())
        with self._lock:
            if key not in self._histograms:
                self._histograms[key] = _Histogram()
            self._histograms[key].add(seconds * 1e6)

    def gauge(
        self, name: str, read: Callable[[], Iterable[tuple[Labels, float]]]
    ) -> None:
        """Gives a gauge that is read when it is asked for: labels and values."""
        self._gauges[name] = read

    def text(self) -> str:
        """All of it in the format that Prometheus reads."""
        lines = []
        with self._lock:
            counters = sorted(self._counters.items())
            histograms = sorted(
                (name, labels, one.rows())
                for (name, labels), one in self._histograms.items()
            )
        typed = set()

        def head(name, kind):
            if name not in typed:
                typed.add(name)
                lines.append(f"# TYPE {name} {kind}")

        for (name, labels), value in counters:
            head(name, "counter")
            lines.append(_line(name, labels, value))
        for name, labels, (buckets, total, count) in histograms:
            head(name, "histogram")
            for limit, number in buckets:
                le = (("le", limit),)
                lines.append(_line(f"{name}_bucket", labels + le, number))
            lines.append(_line(f"{name}_sum", labels, total))
            lines.append(_line(f"{name}_count", labels, count))
        for name, read in self._gauges.items():
            head(name, "gauge")
            lines.extend(_line(name, labels, value) for labels, value in read())
        return "\n".join(lines) + "\n"


class _Histogram:
    """Counts of values in `BUCKETS`, each the last one's upper limit included."""

    def __init__(self):
        self._counts = [0] * (len(BUCKETS) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(BUCKETS, value)] += 1
        self._total += value

    def rows(self):
        """((upper limit, values up to it), ...), their sum and their number."""
        rows, number = [], 0
        for limit, count in zip((*BUCKETS, None), self._counts, strict=True):
            number += count
            rows.append(("+Inf" if limit is None else f"{limit:.9g}", number))
        return rows, self._total, number


def _line(name, labels, value):
    given = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    shown = f"{value:.17g}" if isinstance(value, float) else value
    return f"{name}{{{given}}} {shown}" if given else f"{name} {shown}"


def _escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
