"""The client for asyncio; it does what `serving.client.RerankClient` does."""

import asyncio
from collections.abc import Sequence
from contextlib import closing

import grpc

from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from serving.answers import Reranked
from serving.asked import Asked
from serving.client_channel import open_async_channel
from serving.client_metrics import ClientMetrics
from serving.client_policy import RETRYABLE, CallPolicy
from serving.client_steps import Send, Stepper, Wait
from serving.errors import RerankError
from serving.messages import PREDICT, PredictRequest, PredictResponse


class AsyncRerankClient:
    """Reranks lists at a model server, within one event loop.

    The connection is opened by the first call, so that the client may be made before
    the loop runs. A call whose task is cancelled is cancelled at the server, too.

    Args:
        target: As for `RerankClient`, as are all others.
    """

    def __init__(
        self,
        target: str,
        feature_set: FeatureSet,
        model_name: str = "psad",
        timeout: float = 1.0,
        signature: str = "serving_default",
        credentials: grpc.ChannelCredentials | None = None,
        fallback: bool = False,
        policy: CallPolicy | None = None,
        version: int | str | None = None,
    ):
        asked = Asked(feature_set, model_name, signature, version)
        policy = policy or CallPolicy()
        self._stepper = Stepper(target, asked, timeout, fallback, policy)
        self._credentials = credentials
        self._channel = self._loop = self._predict = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls under way fail, as do all later ones."""
        self._stepper.is_closed = True
        if self._channel is not None:
            await self._channel.close()

    @property
    def metrics(self) -> ClientMetrics:
        """What was asked and how it ended."""
        return self._stepper.metrics

    async def rerank(
        self, ranking_list: RankingList, timeout: float | None = None
    ) -> Reranked:
        """One list in its new order; see `RerankClient.rerank_batch`."""
        return (await self.rerank_batch([ranking_list], timeout))[0]

    async def rerank_batch(
        self, lists: Sequence[RankingList], timeout: float | None = None
    ) -> list[Reranked]:
        """Lists in their new orders, in one call; see `RerankClient.rerank_batch`.

        Raises:
            ValueError, RerankError: As there.
            RuntimeError: The first call was made in another event loop.
        """
        with closing(self._stepper.rerank(lists, timeout)) as steps:
            try:
                step = next(steps)
                while True:
                    try:
                        result = await self._take(step)
                    except (grpc.RpcError, RerankError) as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(result)
            except StopIteration as done:
                return done.value

    async def _take(self, step: Send | Wait):
        if isinstance(step, Wait):
            return await asyncio.sleep(step.seconds)
        self._connect()
        try:
            if step.hedge_after is None:
                return await self._ask(step.request, step.timeout)
            return await self._ask_hedged(step)
        except (grpc.aio.UsageError, asyncio.CancelledError) as error:
            # Closing cancels calls, which is not to look like an end of their tasks.
            if not self._stepper.is_closed or asyncio.current_task().cancelling():
                raise
            raise self._stepper.closed() from error

    def _connect(self):
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise RuntimeError(
                f"the client of {self._stepper.target} belongs to another event loop; "
                "make one in each"
            )
        if self._channel is None:
            self._loop = loop
            self._channel = open_async_channel(self._stepper.target, self._credentials)
            self._predict = self._channel.unary_unary(
                PREDICT,
                request_serializer=PredictRequest.SerializeToString,
                response_deserializer=PredictResponse.FromString,
            )

    async def _ask(self, request, timeout):
        return await self._predict(request, timeout=timeout)

    async def _ask_hedged(self, send: Send):
        """The first answer of two questions; see `serving.client`."""
        loop = asyncio.get_running_loop()
        deadline, tasks = loop.time() + send.timeout, []

        def ask():
            left = max(deadline - loop.time(), 0.0)
            tasks.append(asyncio.ensure_future(self._ask(send.request, left)))

        ask()
        try:
            done, _ = await asyncio.wait(tasks, timeout=send.hedge_after)
            if not done:
                if send.may_hedge():
                    ask()
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if len(tasks) == 2 and all(map(_was_shed, done)):
                done, _ = await asyncio.wait(tasks)
            return min(done, key=lambda task: task.exception() is not None).result()
        finally:
            await _end(tasks)
            done = None  # what they raised knows this frame; see `client_steps`


async def _end(tasks: list[asyncio.Task]) -> None:
    """Cancels those that still run, and empties the list."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks.clear()


def _was_shed(task: asyncio.Task) -> bool:
    error = task.exception()
    return isinstance(error, grpc.RpcError) and error.code().name in RETRYABLE
