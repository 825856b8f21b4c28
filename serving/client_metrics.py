"""What a client counts, and how long calls took; written as Prometheus reads it."""

import threading
from bisect import bisect_left
from collections import Counter

# Seconds; upper bounds of the histogram's buckets, to 10 s.
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_HELP = {
    "psad_client_requests_total": "Calls by how they ended, retries included.",
    "psad_client_attempts_total": "Tries by how they ended.",
    "psad_client_retries_total": "Tries after the first one.",
    "psad_client_hedges_total": "Second questions because an answer was late.",
    "psad_client_fallback_lists_total": "Lists in their initial order, by reason.",
    "psad_client_lists_total": "Reranked lists by the version that ranked them.",
}
_OPEN, _SECONDS = "psad_client_circuit_open", "psad_client_request_seconds"


class ClientMetrics:
    """Counters of one client or, given to several, of all of them; thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = Counter()
        self._is_open = False
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def count(self, name: str, amount: int = 1, **labels: object) -> None:
        """Adds to a counter, such as `requests` or `attempts`.

        Raises:
            KeyError: There is no such counter.
        """
        full_name = f"psad_client_{name}_total"
        if full_name not in _HELP:
            raise KeyError(f"no counter {name!r}; there are {[*_HELP]}")
        with self._lock:
            self._counts[full_name, tuple(sorted(labels.items()))] += amount

    def observe(self, seconds: float) -> None:
        """Notes how long a call took, retries included."""
        with self._lock:
            self._buckets[bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def set_circuit(self, is_open: bool) -> None:
        """Notes whether calls are kept from the server."""
        self._is_open = is_open

    def value(self, name: str, **labels: object) -> int:
        """A counter's value over all series that have these labels.

        >>> metrics = ClientMetrics()
        >>> metrics.count("attempts", code="OK")
        >>> metrics.count("attempts", code="UNAVAILABLE")
        >>> metrics.value("attempts"), metrics.value("attempts", code="OK")
        (2, 1)
        """
        asked, full_name = set(labels.items()), f"psad_client_{name}_total"
        with self._lock:
            found = self._counts.items()
            return sum(
                n for (of, has), n in found if of == full_name and asked <= {*has}
            )

    def text(self) -> str:
        """All of it in Prometheus' text format."""
        with self._lock:
            counts, buckets = dict(self._counts), list(self._buckets)
            seconds, is_open = self._seconds, self._is_open
        lines = []
        for name, says in _HELP.items():
            lines += [f"# HELP {name} {says}", f"# TYPE {name} counter"]
            lines += [
                f"{name}{_labels(labels)} {value}"
                for (of, labels), value in sorted(counts.items())
                if of == name
            ]
        lines += [f"# HELP {_OPEN} Whether calls are kept from the server."]
        lines += [f"# TYPE {_OPEN} gauge", f"{_OPEN} {int(is_open)}"]
        lines += [f"# HELP {_SECONDS} Seconds of a call, retries included."]
        lines += [f"# TYPE {_SECONDS} histogram"]
        bounds, total = [*map(str, BOUNDS), "+Inf"], 0
        for bound, number in zip(bounds, buckets, strict=True):
            total += number
            lines.append(f'{_SECONDS}_bucket{{le="{bound}"}} {total}')
        lines += [f"{_SECONDS}_sum {seconds}", f"{_SECONDS}_count {total}"]
        return "\n".join(lines) + "\n"


def _labels(labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
