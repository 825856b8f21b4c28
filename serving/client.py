"""The client: ranking lists in, ordered item ids out, over gRPC.

Needs NumPy, protobuf and grpcio; neither TensorFlow nor Keras is imported.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import grpc
import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from serving.answers import Reranked, initial_order, read_answer
from serving.errors import RerankError
from serving.messages import PREDICT, PredictRequest, PredictResponse
from serving.tensors import fill_tensor

# gRPC itself retries, with jitter, while the call's deadline lasts. These two codes say
# that the server shed or never took the call: a replica, or a moment later, may answer.
_RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.05s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
}
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {"name": [{"service": "tensorflow.serving.PredictionService"}]}
        | {"retryPolicy": _RETRIES}
    ],
}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # A call larger than the buffer is not retried; the default is 256 KiB.
    ("grpc.per_rpc_retry_buffer_size", 16 * 2**20),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Servers close connections that are pinged more often than every five minutes.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


def open_channel(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.Channel:
    """A channel to a model server, without encryption when no credentials are given."""
    if credentials is None:
        return grpc.insecure_channel(target, CHANNEL_OPTIONS)
    return grpc.secure_channel(target, credentials, CHANNEL_OPTIONS)


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
    ):
        self._target = target
        self._feature_set = feature_set
        self._model_name = model_name
        self._timeout = timeout
        self._signature = signature
        self._fallback = fallback
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
        """Closes the connection; calls under way fail."""
        self._channel.close()

    def rerank(self, ranking_list: RankingList) -> Reranked:
        """One list in its new order; see `rerank_batch`."""
        return self.rerank_batch([ranking_list])[0]

    def rerank_batch(self, lists: Sequence[RankingList]) -> list[Reranked]:
        """Lists in their new orders, in one call; none when no list has candidates.

        Raises:
            ValueError: A list does not hold what the feature set asks for. This is the
                caller's mistake, so `fallback` does not cover it.
            RerankError: The server failed or answered nonsense, and `fallback` is off.
        """
        asked = [replace(one, labels=None) for one in lists if one.candidates]
        try:
            answers = iter(self._ask(asked) if asked else ())
        except RerankError as error:
            if not self._fallback:
                raise
            answers = iter([initial_order(one, str(error)) for one in asked])
        return [
            next(answers) if one.candidates else initial_order(one) for one in lists
        ]

    def _ask(self, lists):
        request = self._request(lists)
        try:
            response = self._predict(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise RerankError.from_rpc(error, self._target) from error
        return read_answer(response, lists)

    def _request(self, lists):
        request = PredictRequest()
        request.model_spec.name = self._model_name
        request.model_spec.signature_name = self._signature
        for name, array in self._inputs(lists).items():
            fill_tensor(request.inputs[name], array)
        return request

    def _inputs(self, lists):
        if self._signature == "rank":
            return pack_lists(lists, self._feature_set)
        examples = np.empty(len(lists), object)
        examples[:] = [encode_list(one, self._feature_set) for one in lists]
        return {"examples": examples}
