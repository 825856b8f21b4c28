"""The client: ranking lists in, ordered item ids out, over gRPC.

Needs NumPy, protobuf and grpcio; neither TensorFlow nor Keras is imported.
"""

import queue
import time
from collections.abc import Sequence
from contextlib import closing

import grpc

from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from serving.answers import Reranked
from serving.asked import Asked
from serving.client_channel import open_channel
from serving.client_metrics import ClientMetrics
from serving.client_policy import RETRYABLE, CallPolicy
from serving.client_steps import Send, Stepper, Wait
from serving.errors import RerankError
from serving.messages import PREDICT, PredictRequest, PredictResponse


class RerankClient:
    """Reranks lists at a model server; one connection, safe to share among threads.

    Args:
        target: `host:port` of the server's gRPC, or any gRPC name (`dns:///...` spreads
            the calls over all replicas).
        feature_set: The features the model was trained with.
        model_name: The model's name at the server.
        timeout: Seconds a call may take, retries included.
        signature: `serving_default` sends serialized examples, `rank` plain tensors.
        credentials: Of TLS; None connects without encryption.
        fallback: Whether a failure of the server gives the initial order with the
            reason, instead of an error.
        policy: Retries, hedging and the circuit breaker.
        version: Of the model, by its number or its label; None for the newest.

    Raises:
        ValueError: A timeout or version that cannot be.
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
        self._channel = open_channel(target, credentials)
        self._predict = self._channel.unary_unary(
            PREDICT,
            request_serializer=PredictRequest.SerializeToString,
            response_deserializer=PredictResponse.FromString,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self) -> None:
        """Closes the connection; calls under way fail, as do all later ones."""
        self._stepper.is_closed = True
        self._channel.close()

    @property
    def metrics(self) -> ClientMetrics:
        """What was asked and how it ended."""
        return self._stepper.metrics

    def rerank(
        self, ranking_list: RankingList, timeout: float | None = None
    ) -> Reranked:
        """One list in its new order; see `rerank_batch`."""
        return self.rerank_batch([ranking_list], timeout)[0]

    def rerank_batch(
        self, lists: Sequence[RankingList], timeout: float | None = None
    ) -> list[Reranked]:
        """Lists in their new orders, in one call; none when no list has candidates.

        Args:
            lists: What to rerank.
            timeout: Seconds this call may take, if not the client's.

        Raises:
            ValueError: A list does not hold what the feature set asks for. This is the
                caller's mistake, so `fallback` does not cover it.
            RerankError: The server failed or answered nonsense, and `fallback` is off.
        """
        with closing(self._stepper.rerank(lists, timeout)) as steps:
            try:
                step = next(steps)
                while True:
                    try:
                        result = self._take(step)
                    except (grpc.RpcError, RerankError) as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(result)
            except StopIteration as done:
                return done.value

    def _take(self, step: Send | Wait):
        if isinstance(step, Wait):
            return time.sleep(step.seconds)
        try:
            if step.hedge_after is None:
                return self._predict(step.request, timeout=step.timeout)
            return _send_hedged(self._predict, step)
        except ValueError as error:  # gRPC's word for a channel that is closed
            if not self._stepper.is_closed:
                raise
            raise self._stepper.closed() from error


def _send_hedged(predict: grpc.UnaryUnaryMultiCallable, send: Send) -> PredictResponse:
    """The first answer of two questions, of which the second is asked when it is late.

    Raises:
        grpc.RpcError: The first failure that the other call cannot make good.
    """
    ended: queue.SimpleQueue = queue.SimpleQueue()
    deadline, calls = time.monotonic() + send.timeout, []

    def ask():
        left = max(deadline - time.monotonic(), 0.0)
        calls.append(predict.future(send.request, timeout=left))
        calls[-1].add_done_callback(ended.put)

    ask()
    try:
        try:
            first = ended.get(timeout=send.hedge_after)
        except queue.Empty:
            if send.may_hedge():
                ask()
            first = ended.get()
        if len(calls) == 2 and first.code().name in RETRYABLE:
            first = ended.get()
        if first.code() is not grpc.StatusCode.OK:
            raise first
        return first.result()
    finally:
        for call in calls:
            call.cancel()
