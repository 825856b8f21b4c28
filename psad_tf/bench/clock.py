"""How long a call keeps the device busy: by its own clock, or by a queue of calls."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

# Calls are this far apart, and what a device does within one hardly ever pauses so.
_PAUSE = 4e-3
_TRIES = 3
_ROUNDS = 20  # of one trace: what it loses costs no others
# So long that what the host does now and then is little beside it.
_QUEUE_SECONDS = 1e-2


def device_seconds(
    runs: Sequence[Callable[[], None]], rounds: int
) -> list[list[float]] | None:
    """From the first kernel's beginning to the last one's end, for each call.

    Args:
        runs: Each makes a call and waits for it. All were called before.
        rounds: How often each is called, in turn.

    Returns:
        Seconds, one a round, for each of `runs`; None where there is no device with a
        clock of its own, or it could not be read.
    """
    if jax.default_backend() != "gpu":
        return None
    found = []
    for first in tqdm(range(0, rounds, _ROUNDS), desc="device's clock"):
        part = _watched(runs, min(_ROUNDS, rounds - first))
        if part is None:
            return None
        found += part
    return np.transpose(found).tolist()


def _watched(runs, rounds) -> list[list[float]] | None:
    """For each round each call's seconds; None where calls could not be told apart."""
    for _ in range(_TRIES):
        found = spans(_traced(runs, rounds))
        if len(found) == rounds * len(runs):
            return np.reshape(found, (rounds, len(runs))).tolist()
    return None


class Queue:
    """Calls that wait for each other and not for the caller, who waits for the last.

    Twice as many calls less so many leave what a call adds to a queue: what the caller
    does for the first call and the last one falls out, and nothing is watched.

    Args:
        start: Makes a call, which was made before, and does not wait for it.
    """

    def __init__(self, start: Callable[[], Any]):
        self._start = start
        shortest = min(self._wait_for(1) for _ in range(_TRIES))
        self._calls = math.ceil(_QUEUE_SECONDS / shortest)

    def seconds(self) -> float:
        """What one call takes.

        Raises:
            RuntimeError: Twice the calls took no longer, time after time.
        """
        for _ in range(_TRIES):
            fewer, more = (self._wait_for(n * self._calls) for n in (1, 2))
            if more > fewer:
                return (more - fewer) / self._calls
        raise RuntimeError(
            f"{2 * self._calls} calls took {more} s and {self._calls} {fewer} s: "
            "something else holds this machine up; time again when it is over"
        )

    def _wait_for(self, calls: int) -> float:
        begun = time.perf_counter()
        for _ in range(calls):
            last = self._start()
        jax.block_until_ready(last)
        return time.perf_counter() - begun


def truer(device: list[float] | None, host: list[float]) -> tuple[list[float], str]:
    """The seconds of a program, and the clock they are by: `device` or `host`.

    To watch a device slows programs of very many kernels. Where the host, which was not
    watched, waited for less than the device seems to have worked, it knows better.

    Args:
        device: From `device_seconds`.
        host: Seconds that the host waited for each call.
    """
    if device is None or np.median(host) < np.median(device):
        return host, "host"
    return device, "device"


def _traced(runs, rounds) -> list[tuple[float, float]]:
    """Begin and end of all that ran on the device, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for run in [*runs] * rounds:
                run()
                time.sleep(2 * _PAUSE)
        (file,) = Path(folder).rglob("*.xplane.pb")
        profile = jax.profiler.ProfileData.from_file(str(file))
    return [
        (event.start_ns / 1e9, event.end_ns / 1e9)
        for plane in profile.planes
        if plane.name.startswith("/device:GPU")
        for line in plane.lines
        if line.name.startswith("Stream")
        for event in line.events
    ]


def spans(events: Sequence[tuple[float, float]], pause: float = _PAUSE) -> list[float]:
    """The lengths of groups of events between which nothing runs for `pause` seconds.

    Args:
        events: Begin and end of each, in seconds, in any order.
        pause: What parts two groups.
    """
    if not events:
        return []
    begins, ends = np.array(sorted(events)).T
    ends = np.maximum.accumulate(ends)
    first = np.concatenate([[True], begins[1:] - ends[:-1] > pause])
    last = np.concatenate([first[1:], [True]])
    return (ends[last] - begins[first]).tolist()
