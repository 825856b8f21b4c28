"""Sends requests at a rate that does not wait for the answers, and takes the times."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np
from hdrh.histogram import HdrHistogram

from serving.client_channel import open_async_channel
from serving.messages import PREDICT

_LONGEST = 3_600_000_000  # microseconds
_DIGITS = 3
PERCENTILES = (50.0, 90.0, 99.0, 99.9)
OK = "OK"


@dataclass
class Load:
    """What came of a load.

    Args:
        offered: Requests a second that were to be sent; None sends each one when the
            one before it is answered.
        seconds: From the first request to the last answer.
        codes: How the calls ended, by gRPC code.
        times: Microseconds from when each answered request was due to its answer.
    """

    offered: float | None
    seconds: float = 0.0
    codes: Counter = field(default_factory=Counter)
    times: HdrHistogram = field(
        default_factory=lambda: HdrHistogram(1, _LONGEST, _DIGITS)
    )

    def note(self, code: str, seconds: float) -> None:
        """Counts one call; times are those of answers."""
        self.codes[code] += 1
        if code == OK:
            self.times.record_value(max(1, round(seconds * 1e6)))

    @property
    def answered(self) -> float:
        """Answers a second."""
        return self.codes[OK] / self.seconds if self.seconds else 0.0

    def summary(self, lists: int) -> dict:
        """Plain values: rates in requests and lists a second, times in milliseconds.

        Args:
            lists: In a request.
        """
        values = {
            "offered": self.offered,
            "answered": self.answered,
            "lists_a_second": self.answered * lists,
            "requests": sum(self.codes.values()),
            "codes": dict(self.codes),
            "seconds": self.seconds,
        }
        if not self.codes[OK]:
            return values
        times = self.times
        found = {f"p{p:g}": times.get_value_at_percentile(p) for p in PERCENTILES}
        found["max"] = times.get_max_value()
        return values | {name: value / 1e3 for name, value in found.items()}


# Sends a serialized request: raises `grpc.RpcError` when there is no answer.
Call = Callable[[bytes], Awaitable[bytes]]


class Caller:
    """Calls Predict over connections of its own, with serialized messages.

    Args:
        target: `host:port`.
        timeout: Seconds until a call's deadline.
        connections: How many; the calls take turns.
    """

    def __init__(self, target: str, timeout: float, connections: int = 1):
        self._timeout, self._next = timeout, 0
        self._channels = [open_async_channel(target) for _ in range(connections)]
        self._calls = [channel.unary_unary(PREDICT) for channel in self._channels]

    async def __call__(self, request: bytes) -> bytes:
        self._next = (self._next + 1) % len(self._calls)
        return await self._calls[self._next](request, timeout=self._timeout)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


async def closed_loop(
    call: Call, requests: Sequence[bytes], in_flight: int, seconds: float
) -> Load:
    """Keeps so many requests in flight for so long: what a server can do at most."""
    load, begun, taken = Load(None), time.perf_counter(), iter(_forever(requests))

    async def worker():
        while time.perf_counter() - begun < seconds:
            await _timed(call, next(taken), time.perf_counter(), load)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    load.seconds = time.perf_counter() - begun
    return load


async def open_loop(
    call: Call,
    requests: Sequence[bytes],
    rate: float,
    seconds: float,
    random: np.random.Generator,
) -> Load:
    """Sends requests as users do: at random times, whether or not others wait.

    A request's time begins when it is due, so that waiting in the sender counts too.

    Args:
        call: Sends one.
        requests: Taken in turn.
        rate: Requests a second; the gaps between them are exponential.
        seconds: How long requests are sent; then the answers are waited for.
        random: Of the gaps.
    """
    load, begun = Load(rate), time.perf_counter()
    await offer(call, requests, rate, seconds, random, lambda due: load)
    load.seconds = time.perf_counter() - begun
    return load


async def offer(
    call: Call,
    requests: Sequence[bytes],
    rate: float,
    seconds: float,
    random: np.random.Generator,
    load_of: Callable[[float], Load],
) -> None:
    """The requests of `open_loop`, each noted where `load_of` says.

    Args:
        call, requests, rate, seconds, random: As there.
        load_of: Given the second at which a request is due, what it counts in.
    """
    begun, tasks = time.perf_counter(), set()
    due, taken = random.exponential(1 / rate), iter(_forever(requests))
    while due < seconds:
        await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
        asked = _timed(call, next(taken), begun + due, load_of(due))
        task = asyncio.create_task(asked)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += random.exponential(1 / rate)
    await asyncio.gather(*tasks)


async def _timed(call, request, since, load):
    try:
        await call(request)
        code = OK
    except grpc.RpcError as error:
        code = error.code().name
    load.note(code, time.perf_counter() - since)


def _forever(requests):
    while True:
        yield from requests
