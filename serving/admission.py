"""How many requests run, how many wait for it, and who is sent away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from serving.fault import Fault

_LONGEST_WAIT = threading.TIMEOUT_MAX


class Admission:
    """Places for running requests, and a queue before them.

    Args:
        running: How many requests run at a time.
        waiting: How many more may wait; the next one is shed at once, so that its
            client can ask elsewhere while there is time.
    """

    def __init__(self, running: int, waiting: int):
        self._places = threading.Semaphore(running)
        self._waiting = 0
        self._most_waiting = waiting
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._waiting

    @contextmanager
    def place(self, remaining: float | None = None) -> Iterator[None]:
        """A place to run in.

        Args:
            remaining: Seconds until the client's deadline; None when it has none.

        Raises:
            Fault: The queue is full, or the deadline passed in it.
        """
        self._enter(remaining)
        try:
            yield
        finally:
            self._places.release()

    def _enter(self, remaining):
        # Nobody overtakes those who wait.
        if not self._waiting and self._places.acquire(blocking=False):
            return
        with self._lock:
            if self._waiting >= self._most_waiting:
                raise Fault(
                    grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted"
                )
            self._waiting += 1
        try:
            seconds = _LONGEST_WAIT if remaining is None else max(0.0, remaining)
            if not self._places.acquire(timeout=min(seconds, _LONGEST_WAIT)):
                raise Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        finally:
            with self._lock:
                self._waiting -= 1
