"""Until when a client waits."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from serving.fault import Fault


class Deadline:
    """A point in time, or none.

    Args:
        remaining: Seconds until then; None when there is none.
    """

    def __init__(self, remaining: float | None):
        self._end = None if remaining is None else time.monotonic() + remaining

    @property
    def left(self) -> float | None:
        """Seconds, 0 when it is past; None when there is no deadline."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """
        Raises:
            Fault: It is past.
        """
        if self.left == 0.0:
            raise Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")

    @contextmanager
    def held(self, lock: threading.Lock) -> Iterator[None]:
        """Holds a lock, which is waited for until then.

        Raises:
            Fault: Others held it all the time.
        """
        left = -1 if self.left is None else min(self.left, threading.TIMEOUT_MAX)
        if not lock.acquire(timeout=left):
            raise Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        try:
            yield
        finally:
            lock.release()
