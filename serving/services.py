"""The gRPC services, by the names and with the messages of TensorFlow Serving.

Of `tensorflow_serving.apis` only the message modules are used: its modules of services
were generated for an older protobuf and do not import under the one TensorFlow needs.
"""

import logging
from collections.abc import Callable

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from serving.fault import Fault, invalid
from serving.store import ModelStore

_log = logging.getLogger(__name__)
_SIGNATURES = "signature_def"


def handlers(store: ModelStore) -> list[grpc.GenericRpcHandler]:
    """PredictionService (Predict, GetModelMetadata) and ModelService over a store."""

    def predict(request, context):
        _require_spec(request)
        if not context.is_active():  # the client is gone; its place goes to another
            raise Fault(grpc.StatusCode.CANCELLED, "The client gave up")
        with store.lease(request.model_spec) as servable:
            return servable.predict(request, context.time_remaining())

    def metadata(request, context):
        return get_metadata(store, request)

    def status(request, context):
        return get_status(store, request)

    return [
        _service(
            "tensorflow.serving.PredictionService",
            Predict=(predict, predict_pb2.PredictRequest),
            GetModelMetadata=(metadata, get_model_metadata_pb2.GetModelMetadataRequest),
        ),
        _service(
            "tensorflow.serving.ModelService",
            GetModelStatus=(status, get_model_status_pb2.GetModelStatusRequest),
        ),
    ]


def get_metadata(store: ModelStore, request):
    """GetModelMetadata: the signatures of a served version."""
    _require_spec(request)
    if not request.metadata_field:
        raise invalid(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in request.metadata_field:
        if field != _SIGNATURES:
            raise invalid(f"Metadata field {field} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    signatures = get_model_metadata_pb2.SignatureDefMap()
    with store.lease(request.model_spec) as servable:
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
        for name, signature in servable.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
    response.metadata[_SIGNATURES].Pack(signatures)
    return response


def get_status(store: ModelStore, request):
    """GetModelStatus: the state of each known version, with the error that ended it."""
    _require_spec(request)
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in store.statuses(request.model_spec):
        row = response.model_version_status.add(
            version=version.number, state=int(version.state)
        )
        row.status.SetInParent()
        if version.fault:
            row.status.error_code = version.fault.code.value[0]
            row.status.error_message = version.fault.message
    return response


def _require_spec(request):
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


def _service(name: str, **methods) -> grpc.GenericRpcHandler:
    """A service of unary methods: method name → (behaviour, request's class)."""
    return grpc.method_handlers_generic_handler(
        name,
        {
            method: grpc.unary_unary_rpc_method_handler(
                _answering(behaviour),
                request_deserializer=message.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
            for method, (behaviour, message) in methods.items()
        },
    )


def _answering(behaviour: Callable) -> Callable:
    """The behaviour, with its faults told to the client."""

    def answer(request, context):
        try:
            return behaviour(request, context)
        except Fault as fault:
            code, message = fault.code, fault.message
        except Exception as error:
            _log.exception("a request failed unexpectedly")
            code, message = grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}"
        return context.abort(code, message)

    return answer
