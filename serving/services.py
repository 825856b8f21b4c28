"""The gRPC services, by the names and with the messages of TensorFlow Serving.

Of `tensorflow_serving.apis` only the message modules are used: its modules of services
were generated for an older protobuf and do not import under the one TensorFlow needs.
"""

import logging
from collections.abc import Callable

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.backend import Backend
from serving.fault import Fault

_log = logging.getLogger(__name__)


def handlers(backend: Backend) -> list[grpc.GenericRpcHandler]:
    """PredictionService and ModelService over a backend."""

    def predict(request, context):
        return backend.predict(
            request, context.time_remaining(), "GRPC", context.is_active
        )

    def plain(behaviour):
        return lambda request, context: behaviour(request)

    def reload(request, context):
        return backend.reload(request, context.time_remaining())

    other = plain(backend.other_inference)
    return [
        _service(
            "tensorflow.serving.PredictionService",
            Predict=(predict, predict_pb2.PredictRequest),
            GetModelMetadata=(
                plain(backend.metadata),
                get_model_metadata_pb2.GetModelMetadataRequest,
            ),
            Classify=(other, classification_pb2.ClassificationRequest),
            Regress=(other, regression_pb2.RegressionRequest),
        ),
        _service(
            "tensorflow.serving.ModelService",
            GetModelStatus=(
                plain(backend.status),
                get_model_status_pb2.GetModelStatusRequest,
            ),
            HandleReloadConfigRequest=(
                reload,
                model_management_pb2.ReloadConfigRequest,
            ),
        ),
    ]


class Unimplemented(grpc.GenericRpcHandler):
    """Answers every method that no handler before it knows, in the real words: none."""

    def service(self, handler_call_details):
        del handler_call_details
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        )


def _service(name: str, **methods) -> grpc.GenericRpcHandler:
    """A service of unary methods: method name → (behaviour, request's class)."""
    return grpc.method_handlers_generic_handler(
        name,
        {
            method: grpc.unary_unary_rpc_method_handler(
                _answering(behaviour, message),
                response_serializer=lambda response: response.SerializeToString(),
            )
            for method, (behaviour, message) in methods.items()
        },
    )


def _answering(behaviour: Callable, message) -> Callable:
    """The behaviour over bytes, with its faults told to the client."""

    def answer(sent, context):
        try:
            request = message.FromString(sent)
        except Exception:  # the real server says no more either
            return context.abort(grpc.StatusCode.INTERNAL, "")
        try:
            return behaviour(request, context)
        except Fault as fault:
            code, text = fault.code, fault.message
        except Exception as error:
            _log.exception("a request failed unexpectedly")
            code, text = grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}"
        return context.abort(code, text)

    return answer
