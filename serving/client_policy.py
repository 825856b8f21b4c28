"""How often a client asks, when it asks twice at once, and when not at all.

Decisions alone, without clocks that run or threads that wait, so that the clients of
threads and of asyncio share them.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# The server shed the call or never took it: a replica, or a moment later, may answer.
RETRYABLE = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
# What a server in trouble says; other codes are about the request, or the model.
TROUBLE = (*RETRYABLE, "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "BAD_ANSWER")
_MOST_SAVED = 10.0  # hedges that calls without trouble can save up


@dataclass(frozen=True)
class Retries:
    """When a call that was shed is tried again.

    Before the n-th retry the client waits a random time up to
    `first_wait * 2 ** (n - 1)`, at most `longest_wait`; at least half of that when the
    server said that it is overloaded.

    Args:
        attempts: How often a call is tried in all; 1 never retries.
        first_wait: Seconds.
        longest_wait: Seconds.
    """

    attempts: int = 4
    first_wait: float = 0.05
    longest_wait: float = 1.0

    def __post_init__(self):
        _check(self.attempts >= 1, "attempts", self.attempts, "give 1 or more")
        _check(self.first_wait > 0, "first_wait", self.first_wait, "give more than 0")
        _check(
            self.longest_wait >= self.first_wait,
            "longest_wait",
            self.longest_wait,
            f"give at least first_wait={self.first_wait}",
        )

    def wait(
        self,
        code: str,
        made: int,
        left: float,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> float | None:
        """Seconds to wait before the next try; None to give up.

        Args:
            code: What the last try failed with.
            made: Tries so far.
            left: Seconds until the call's deadline.
            draw: Gives a random number between two.
        """
        if code not in RETRYABLE or made >= self.attempts:
            return None
        most = min(self.longest_wait, self.first_wait * 2 ** (made - 1))
        least = most / 2 if code == "RESOURCE_EXHAUSTED" else 0.0
        wait = draw(least, most)
        return wait if wait < left else None


@dataclass(frozen=True)
class Hedging:
    """Asks once more where an answer is late, and takes the first one.

    Args:
        after: Seconds without an answer; about the 95th percentile of latency.
        share: The most hedges a call, over many calls, so that a server which is slow
            for all is not given twice the work.
    """

    after: float
    share: float = 0.1

    def __post_init__(self):
        _check(self.after > 0, "after", self.after, "give seconds, more than 0")
        _check(0 < self.share <= 1, "share", self.share, "give more than 0, at most 1")


@dataclass(frozen=True)
class Breaking:
    """Spares a server that fails call after call, and the caller the wait.

    Args:
        failures: Tries in a row that must fail before it opens.
        pause: Seconds for which no call is sent; then one is, as a trial.
    """

    failures: int = 10
    pause: float = 1.0

    def __post_init__(self):
        _check(self.failures >= 1, "failures", self.failures, "give 1 or more")
        _check(self.pause > 0, "pause", self.pause, "give seconds, more than 0")


@dataclass(frozen=True)
class CallPolicy:
    """What a client does beside asking once; None leaves a part out."""

    retries: Retries | None = field(default_factory=Retries)
    hedging: Hedging | None = None
    breaking: Breaking | None = field(default_factory=Breaking)


class HedgeBudget:
    """How many hedges may still be sent: each call earns `share` of one."""

    def __init__(self, share: float):
        self._share = share
        self._saved = 1.0
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A call was made."""
        with self._lock:
            self._saved = min(self._saved + self._share, _MOST_SAVED)

    def spend(self) -> bool:
        """Takes a hedge; whether there was one."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True


class CircuitBreaker:
    """Closed, it lets calls pass; open, one in each pause.

    Args:
        breaking: When it opens.
        clock: Seconds, rising.
    """

    def __init__(self, breaking: Breaking, clock: Callable[[], float] = time.monotonic):
        self._breaking = breaking
        self._clock = clock
        self._failed = 0
        self._next_trial = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether calls are kept from the server."""
        return self._failed >= self._breaking.failures

    def seconds_left(self) -> float:
        """0 if a call may be sent now, else how long until one may.

        Where that is 0 and the circuit is open, the caller is the trial: others wait
        for another pause.
        """
        with self._lock:
            if not self.is_open:
                return 0.0
            left = self._next_trial - self._clock()
            if left > 0:
                return left
            self._next_trial = self._clock() + self._breaking.pause
            return 0.0

    def note(self, code: str) -> None:
        """What a try came to: `OK`, or what it failed with."""
        with self._lock:
            if code not in TROUBLE:
                self._failed = 0  # the server answered
                return
            self._failed += 1
            if self.is_open:
                self._next_trial = self._clock() + self._breaking.pause


def _check(is_right, name, value, remedy):
    if not is_right:
        raise ValueError(f"{name}={value!r}; {remedy}")
