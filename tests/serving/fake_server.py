"""A gRPC server that does what a test tells it to, call by call."""

import contextlib
from concurrent import futures

import grpc
import numpy as np

from serving.messages import PredictRequest, PredictResponse
from serving.tensors import fill_tensor

LENGTH = 20


def answer(orders, scores=None, version=3) -> PredictResponse:
    """An answer that puts each list in the order given, padded to `LENGTH`."""
    response = PredictResponse()
    response.model_spec.version.value = version
    padded = np.full((len(orders), LENGTH), -1, np.int32)
    values = np.full((len(orders), LENGTH), -1e4, np.float32)
    for row, order in enumerate(orders):
        padded[row, : len(order)] = order
        values[row, : len(order)] = 0.0 if scores is None else scores[row]
    fill_tensor(response.outputs["order"], padded, as_content=False)
    fill_tensor(response.outputs["scores"], values, as_content=False)
    return response


@contextlib.contextmanager
def fake_server(*script):
    """Answers the nth call with `script[n]`, the last one from then on.

    A response is sent, a status code is raised, a function is called with the request.
    Yields the target and the list of requests that came.
    """
    calls = []

    def predict(request, context):
        calls.append(request)
        step = script[min(len(calls), len(script)) - 1]
        if isinstance(step, grpc.StatusCode):
            context.abort(step, "as the test says")
        return step(request) if callable(step) else step

    handler = grpc.unary_unary_rpc_method_handler(
        predict,
        request_deserializer=PredictRequest.FromString,
        response_serializer=PredictResponse.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler(
        "tensorflow.serving.PredictionService", {"Predict": handler}
    )
    server = grpc.server(futures.ThreadPoolExecutor(4), [service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}", calls
    finally:
        server.stop(None).wait()
