"""What the server answers, whichever way it was asked: gRPC and REST call this."""

import time
from collections.abc import Callable
from contextlib import contextmanager

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
)

from serving import metrics as names
from serving.admission import Admission
from serving.fault import Fault, invalid
from serving.metrics import UNKNOWN_MODEL, Metrics
from serving.model_config import parse_config
from serving.store import ModelStore

SIGNATURES = "signature_def"


class Backend:
    """Predict, GetModelMetadata, GetModelStatus and HandleReloadConfigRequest.

    Args:
        store: The models.
        admission: Bounds what runs and what waits.
        metrics: Told of every Predict.
    """

    def __init__(self, store: ModelStore, admission: Admission, metrics: Metrics):
        self._store = store
        self._admission = admission
        self.metrics = metrics
        metrics.gauge(names.QUEUE_LENGTH, lambda: [((), admission.waiting)])
        metrics.gauge(names.SERVED_VERSION, self._served)

    def predict(
        self,
        request,
        remaining: float | None,
        entrypoint: str,
        is_wanted: Callable[[], bool] = lambda: True,
    ):
        """A `PredictResponse`.

        Args:
            request: The `PredictRequest`.
            remaining: Seconds until the client's deadline; None when it has none.
            entrypoint: `GRPC` or `REST`, for the metrics.
            is_wanted: Whether the client still waits.

        Raises:
            Fault: There is no answer.
        """
        end = None if remaining is None else time.monotonic() + remaining
        with self._observed(request, entrypoint):
            _require_spec(request)
            with self._admission.place(remaining):
                if not is_wanted():  # its place goes to another
                    raise Fault(grpc.StatusCode.CANCELLED, "The client gave up")
                left = None if end is None else end - time.monotonic()
                with self._store.lease(request.model_spec) as servable:
                    return servable.predict(request, left)

    def metadata(self, request):
        """A `GetModelMetadataResponse`: the signatures of a served version."""
        _require_spec(request)
        if not request.metadata_field:
            raise invalid(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._store.lease(request.model_spec) as servable:
            response.model_spec.name = servable.name
            response.model_spec.version.value = servable.version
            for name, signature in servable.signatures.items():
                signatures.signature_def[name].CopyFrom(signature)
        response.metadata[SIGNATURES].Pack(signatures)
        return response

    def status(self, request):
        """A `GetModelStatusResponse`: each known version, with what ended it."""
        _require_spec(request)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._store.statuses(request.model_spec):
            row = response.model_version_status.add(
                version=version.number, state=int(version.state)
            )
            row.status.SetInParent()
            if version.fault:
                row.status.error_code = version.fault.code.value[0]
                row.status.error_message = version.fault.message
        return response

    def reload(self, request, remaining: float | None = None):
        """A `ReloadConfigResponse`, once the new configuration is served.

        Args:
            request: The `ReloadConfigRequest`.
            remaining: Seconds until the client's deadline; None when it has none.

        Raises:
            Fault: It cannot be served, or not in time; nothing has changed then.
        """
        if request.config.WhichOneof("config") is None:
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest."
                " Only ModelConfigList is currently supported"
            )
        self._store.reload(parse_config(request.config), remaining)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response

    def other_inference(self, request):
        """Classify and Regress, which no signature of this project is made for."""
        _require_spec(request)
        with self._store.lease(request.model_spec) as servable:
            name = request.model_spec.signature_name
            if len(servable.signature(name).inputs) != 1:
                raise invalid("Expected one input Tensor.")
        raise Fault(
            grpc.StatusCode.UNIMPLEMENTED,
            "this server answers Predict alone; export serves lists, not examples",
        )

    def signature(self, model_spec, name: str):
        """The `SignatureDef` that a request for a signature would be run with."""
        with self._store.lease(model_spec) as servable:
            return servable.signature(name)

    @contextmanager
    def _observed(self, request, entrypoint):
        name = request.model_spec.name
        name = name if self._store.knows(name) else UNKNOWN_MODEL
        began, status = time.perf_counter(), "OK"
        try:
            yield
        except Fault as fault:
            status = fault.code.name
            raise
        except Exception:
            status = grpc.StatusCode.INTERNAL.name
            raise
        else:  # the real server times what succeeds alone
            self.metrics.observe(
                names.REQUEST_LATENCY,
                time.perf_counter() - began,
                model_name=name,
                API="predict",
                entrypoint=entrypoint,
            )
        finally:
            self.metrics.count(names.REQUEST_COUNT, model_name=name, status=status)

    def _served(self):
        for name, numbers in self._store.served().items():
            for number in sorted(numbers):
                yield (("model_name", name), ("version", str(number))), 1


def _require_spec(request):
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
