"""What asyncio asks of its client beyond what both are held to."""

import asyncio
import gc
import threading

import grpc
import pytest
from fake_server import answer, fake_server
from serving_lists import FEATURES, ranking_list

from serving.client_async import AsyncRerankClient
from serving.client_policy import CallPolicy, Hedging
from serving.errors import RerankError

THREE = ranking_list([3, 2, 1], ["a", "b", "c"])
GOOD = answer([[2, 1, 0]])


def stuck(came, released):
    """A step that tells of the request, and answers once it is released."""

    def answers(request):
        came.set()
        released.wait(10)
        return GOOD

    return answers


def test_calls_run_at_the_same_time_over_one_connection():
    # Each of three calls is answered once all three are there.
    together = threading.Barrier(3)

    def meet(request):
        together.wait(10)
        return GOOD

    async def ask(target):
        async with AsyncRerankClient(target, FEATURES, timeout=10.0) as client:
            found = await asyncio.gather(*[client.rerank(THREE) for _ in range(3)])
            return found, client.metrics

    with fake_server(meet) as (target, calls):
        found, metrics = asyncio.run(ask(target))
    assert [one.item_ids for one in found] == [("c", "b", "a")] * 3
    assert len(calls) == metrics.value("requests", code="OK") == 3


def test_a_cancelled_call_is_counted_and_leaves_the_client_usable():
    came, released = threading.Event(), threading.Event()

    async def ask(target):
        async with AsyncRerankClient(target, FEATURES, timeout=10.0) as client:
            task = asyncio.create_task(client.rerank(THREE))
            await asyncio.to_thread(came.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await client.rerank(THREE), client.metrics

    with fake_server(stuck(came, released), GOOD) as (target, _):
        found, metrics = asyncio.run(ask(target))
        released.set()
    assert found.item_ids == ("c", "b", "a")
    assert metrics.value("requests", code="CANCELLED") == 1
    assert metrics.value("requests", code="OK") == 1


@pytest.fixture
def no_collector():
    """Python looks for no cycles meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("policy", [CallPolicy(), CallPolicy(hedging=Hedging(5.0))])
def test_a_call_that_was_tried_again_leaves_none_behind(policy, no_collector):
    async def ask(target):
        async with AsyncRerankClient(target, FEATURES, policy=policy) as client:
            await client.rerank(THREE)
            assert client.metrics.value("retries") == 1

    with fake_server(grpc.StatusCode.UNAVAILABLE, GOOD) as (target, _):
        asyncio.run(ask(target))
    left = [o for o in gc.get_objects() if isinstance(o, grpc.aio.UnaryUnaryCall)]
    assert left == []


@pytest.mark.parametrize("policy", [CallPolicy(), CallPolicy(hedging=Hedging(5.0))])
def test_closing_ends_calls_but_not_their_tasks(policy):
    came, released = threading.Event(), threading.Event()

    async def ask(target):
        client = AsyncRerankClient(target, FEATURES, timeout=10.0, policy=policy)
        task = asyncio.create_task(client.rerank(THREE))
        await asyncio.to_thread(came.wait, 10)
        await client.close()
        with pytest.raises(RerankError, match="CANCELLED.*client was closed"):
            await task

    with fake_server(stuck(came, released)) as (target, _):
        asyncio.run(ask(target))
        released.set()


def test_a_client_made_before_the_loop_belongs_to_the_first_one():
    client = AsyncRerankClient("127.0.0.1:1", FEATURES, fallback=True)

    async def use():
        return await client.rerank(THREE)

    assert asyncio.run(use()).reason.startswith("UNAVAILABLE")
    with pytest.raises(RuntimeError, match="another event loop; make one in each"):
        asyncio.run(use())
    asyncio.run(client.close())


def test_closing_what_was_never_used_is_nothing():
    asyncio.run(AsyncRerankClient("127.0.0.1:1", FEATURES).close())
