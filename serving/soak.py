"""A server under a steady load for long, with every answer compared and counted."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from tqdm import tqdm

from psad_tf.errors import InputError
from serving.load_generator import Caller, Load, offer
from serving.loadtest import LoadTest, find_capacity
from serving.messages import PredictResponse
from serving.republish import Republisher
from serving.resident import resident_bytes
from serving.tensors import read_tensor

SHARE = 0.5  # of the capacity, where no rate is given
_NOISE = 1e-3  # scores of one list may differ so much: sums in another order


@dataclass(frozen=True)
class Soak:
    """What is asked of whom, for how long.

    Args:
        test: The server and the requests.
        seconds: How long requests are sent.
        rate: Requests a second; None for half of the capacity, which is measured first.
        slice_seconds: What is summed up together.
        pid: The server's process, whose memory is measured; None for none.
        republish: The server's folder of versions, whose newest is published anew
            under the next number; None publishes nothing.
        republish_seconds: Between two such publications.
    """

    test: LoadTest
    seconds: float
    rate: float | None = None
    slice_seconds: float = 60.0
    pid: int | None = None
    republish: Path | None = None
    republish_seconds: float = 60.0


class Compared:
    """A `Call` that holds each answer against the first one to the same request.

    Args:
        call: Sends a request.

    Attributes:
        versions: Answers by the version that gave them.
        wrong: Answers whose scores differ from the first one's.
    """

    def __init__(self, call):
        self._call, self._first = call, {}
        self.versions, self.wrong = Counter(), 0

    async def __call__(self, request: bytes) -> bytes:
        answer = await self._call(request)
        response = PredictResponse.FromString(answer)
        self.versions[response.model_spec.version.value] += 1
        self.wrong += not self._is_alike(request, response)
        return answer

    def _is_alike(self, request, response) -> bool:
        try:
            scores = read_tensor(response.outputs["scores"])
        except ValueError:  # there are none
            return False
        first = self._first.setdefault(request, scores)
        if first.shape != scores.shape:
            return False
        return np.allclose(first, scores, atol=_NOISE, rtol=0)


def run(soak: Soak) -> dict:
    """Runs a soak; shows progress.

    Returns:
        `idle` and `capacity` (see `loadtest.run`; None when the rate was given),
        `rate`, `seconds`, `slice_seconds`, `published` versions, and `slices`: of each
        a `Load.summary` of the requests due in it with `minute` (its end), `versions`
        (answers in it by version), `wrong` and `memory` (bytes at its end, None without
        a process or when that is gone).

    Raises:
        InputError: The server cannot be reached, or the process or folder is none.
    """
    if soak.pid is not None and resident_bytes(soak.pid) is None:
        raise InputError(f"--pid={soak.pid}: there is no such process on this machine")
    return asyncio.run(_run(soak, soak.test.messages()))


async def _run(soak: Soak, messages: list[bytes]) -> dict:
    test = soak.test
    publisher = Republisher(soak.republish, soak.republish_seconds)
    call = Caller(test.target, test.timeout, test.connections)
    found = {"idle": None, "capacity": None}
    try:
        if soak.rate is None:
            found = await find_capacity(test, call, messages)
        rate = soak.rate or SHARE * found["capacity"]
        slices = await _slices(soak, Compared(call), messages, rate, publisher)
    except grpc.RpcError as error:
        raise InputError(f"--target={test.target}: {error.details()}") from error
    finally:
        await call.close()
    return {
        **{name: found[name] for name in ("idle", "capacity")},
        "rate": rate,
        "seconds": soak.seconds,
        "slice_seconds": soak.slice_seconds,
        "published": publisher.published,
        "slices": slices,
    }


async def _slices(soak, compared, messages, rate, publisher) -> list[dict]:
    """Offers the load, and sums it up by slices."""
    for message in messages:
        await compared(message)
    loads = [Load(rate) for _ in np.arange(0, soak.seconds, soak.slice_seconds)]
    watched = asyncio.create_task(_watched(soak, compared, len(loads)))
    published = asyncio.create_task(publisher.run())
    random = np.random.default_rng(soak.test.seed)

    def load_of(due):
        return loads[int(due // soak.slice_seconds)]

    try:
        await offer(compared, messages, rate, soak.seconds, random, load_of)
        rows = await watched
        # What was answered since the last one ended is of it, too.
        rows[-1]["wrong"] = compared.wrong - sum(row["wrong"] for row in rows[:-1])
        if published.done():
            published.result()  # raises what kept it from going on
    finally:
        for task in (watched, published):
            task.cancel()
    for row, load in zip(rows, loads, strict=True):
        load.seconds = row["seconds"]
        row |= load.summary(soak.test.size)
    return rows


async def _watched(soak, compared, slices) -> list[dict]:
    """What is seen of a slice when it ends."""
    rows, begun, wrong = [], time.perf_counter(), 0
    compared.versions.clear()
    ends = [min(n * soak.slice_seconds, soak.seconds) for n in range(1, slices + 1)]
    for before, end in zip([0.0, *ends], tqdm(ends, unit="slice"), strict=False):
        await asyncio.sleep(max(0.0, begun + end - time.perf_counter()))
        versions = {str(v): n for v, n in sorted(compared.versions.items())}
        compared.versions.clear()
        memory = None if soak.pid is None else resident_bytes(soak.pid)
        rows.append(
            {
                "minute": end / 60,
                "seconds": end - before,
                "versions": versions,
                "wrong": compared.wrong - wrong,
                "memory": memory,
            }
        )
        wrong = compared.wrong
    return rows
