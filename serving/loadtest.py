"""`psad loadtest`: latency against load, of any server that speaks the Predict API."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from tqdm import tqdm

from psad_tf.errors import InputError
from psad_tf.features import FeatureSet
from serving.load_generator import Caller, closed_loop, open_loop
from serving.load_requests import drawn_lists, lists_of_file, requests_of

IN_FLIGHT = (1, 2, 4, 8, 16, 32, 64)
SHARES = (0.25, 0.5, 0.75, 0.9)
_DIFFERENT = 64  # lists, and requests, that are taken in turn


@dataclass(frozen=True)
class LoadTest:
    """What is asked of whom.

    Args:
        target: `host:port` of a server's gRPC.
        features: Of the model's data set.
        model_name: At the server.
        signature: Of the model.
        size: Lists in a request.
        candidates, history: Items of each list, where they are drawn.
        requests: A file of lists, see `lists_of_file`; None draws them.
        seconds: Of each load.
        timeout: Of each call.
        connections: To the server.
        in_flight: What is tried to find the most that the server can do.
        shares: Of that most, the loads that are then offered.
        seed: Of lists and of the times they are sent at.
    """

    target: str
    features: FeatureSet
    model_name: str = "psad"
    signature: str = "rank"
    size: int = 1
    candidates: int = 20
    history: int = 50
    requests: Path | None = None
    seconds: float = 10.0
    timeout: float = 5.0
    connections: int = 1
    in_flight: tuple[int, ...] = IN_FLIGHT
    shares: tuple[float, ...] = SHARES
    seed: int = 0

    def messages(self, size: int | None = None) -> list[bytes]:
        """Serialized requests of so many lists; None is the test's own number."""
        size = size or self.size
        if self.requests is None:
            drawn = (_DIFFERENT, self.candidates, self.history, self.seed)
            lists = drawn_lists(self.features, *drawn)
        else:
            lists = lists_of_file(self.requests)
        names = self.model_name, self.signature
        return requests_of(lists, self.features, *names, size, _DIFFERENT)


def run(test: LoadTest) -> dict:
    """Runs a load test; shows progress.

    Returns:
        `idle`, `closed` (of each of `in_flight`), `capacity` (the most answers a second
        among these, in requests) and `open` (of each share), each a `Load.summary`;
        `in_flight` and `share` beside them.

    Raises:
        InputError: The server cannot be reached, or does not answer the request.
    """
    return asyncio.run(_run(test, test.messages()))


async def _run(test: LoadTest, messages: list[bytes]) -> dict:
    call = Caller(test.target, test.timeout, test.connections)
    random = np.random.default_rng(test.seed)
    try:
        found = await find_capacity(test, call, messages)
        offered = []
        for share in tqdm(test.shares, unit="load", desc="random times"):
            rate = share * found["capacity"]
            load = await open_loop(call, messages, rate, test.seconds, random)
            offered.append({"share": share} | load.summary(test.size))
    finally:
        await call.close()
    return found | {"open": offered}


async def find_capacity(test: LoadTest, call: Caller, messages: list[bytes]) -> dict:
    """What a server does when idle and at most: `run` without `open`.

    Raises:
        InputError: As there.
    """
    await _probe(call, messages, test.target)
    idle = await closed_loop(call, messages, 1, test.seconds)
    closed = []
    for in_flight in tqdm(test.in_flight, unit="load", desc="so many at a time"):
        load = await closed_loop(call, messages, in_flight, test.seconds)
        closed.append({"in_flight": in_flight} | load.summary(test.size))
    capacity = max(found["answered"] for found in closed)
    return {"idle": idle.summary(test.size), "closed": closed, "capacity": capacity}


async def _probe(call: Caller, messages: list[bytes], target: str) -> None:
    """One request of each kind first: what fails now would fail all through."""
    try:
        for message in messages:
            await call(message)
    except grpc.RpcError as error:
        code = error.code().name
        raise InputError(
            f"--target={target} answers {code}: {error.details()}; see that the server "
            "runs and serves the model, its name, signature and data set"
        ) from error
