"""TensorFlow Serving's REST interface, without the network: a request in, a reply out.

Codes and messages are those that TensorFlow Serving 2.19 was seen to give.
"""

import json
import logging
import re
import zlib
from dataclasses import dataclass
from urllib.parse import unquote

import grpc
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from serving.backend import SIGNATURES, Backend
from serving.fault import Fault, invalid
from serving.metrics import CONTENT_TYPE
from serving.rest_json import error_body, read_predict, write_predict

LARGEST_BODY = 256 * 2**20
_GZIP = 31  # zlib's number for that format
_log = logging.getLogger(__name__)
_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_INFER = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<method>classify|regress|predict)", re.I
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?P<metadata>/metadata)?", re.I
)
_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_NOT_FOUND_PAGE = (
    b"<html><head>\n<title>404 Not Found</title>\n</head><body>\n"
    b"<h1>Not Found</h1>\n</body></html>\n"
)


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Rest:
    """Predict, status, metadata and metrics over HTTP.

    Args:
        backend: What answers.
        timeout: Seconds that a request may take.
        metrics_path: Where the metrics are; None for nowhere.
    """

    def __init__(self, backend: Backend, timeout: float, metrics_path: str | None):
        self._backend = backend
        self._timeout = timeout
        self._metrics_path = metrics_path

    def answer(self, verb: str, path: str, body: bytes, encoding: str = "") -> Reply:
        """The reply to a request.

        Args:
            verb: The HTTP method.
            path: The path, without the query.
            body: The body as it came.
            encoding: Its `Content-Encoding`.
        """
        if verb == "GET" and path == self._metrics_path:
            text = self._backend.metrics.text()
            return Reply(200, text.encode(), CONTENT_TYPE)
        if not path.lower().startswith("/v1/"):
            return Reply(404, _NOT_FOUND_PAGE, "text/html")
        try:
            return Reply(200, self._api(verb, path, body, encoding))
        except _VersionTooLarge:
            return Reply(400, b"")
        except Fault as fault:
            status = _HTTP.get(fault.code.name, 500)
            return Reply(status, error_body(fault.message))
        except Exception as error:
            _log.exception("a REST request failed unexpectedly")
            return Reply(500, error_body(f"{type(error).__name__}: {error}"))

    def _api(self, verb, path, body, encoding) -> bytes:
        infer = _INFER.fullmatch(path) if verb == "POST" else None
        status = _STATUS.fullmatch(path) if verb == "GET" else None
        if infer:
            if infer["method"].lower() != "predict":
                method = infer["method"].lower()
                raise Fault(
                    grpc.StatusCode.UNIMPLEMENTED,
                    f"this server answers predict alone, not {method}",
                )
            return self._predict(infer, _unpacked(body, encoding))
        if not status:
            raise invalid(f"Malformed request: {verb} {path}")
        if not status["name"]:
            raise invalid("Missing model name in request.")
        return self._metadata(status) if status["metadata"] else self._status(status)

    def _predict(self, match, body):
        request = predict_pb2.PredictRequest()
        _fill_spec(request.model_spec, match)
        in_rows = read_predict(
            body, request, lambda name: self._inputs(request.model_spec, name)
        )
        response = self._backend.predict(request, self._timeout, "REST")
        return write_predict(response, in_rows)

    def _inputs(self, model_spec, name):
        try:
            return self._backend.signature(model_spec, name).inputs
        except Fault as fault:
            if fault.code is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            shown = name or "serving_default"
            raise invalid(
                f'Serving signature name: "{shown}" not found in signature def'
            ) from fault

    def _status(self, match):
        request = get_model_status_pb2.GetModelStatusRequest()
        _fill_spec(request.model_spec, match)
        # The real server looks at the version alone and lists all for any label.
        request.model_spec.ClearField("version_label")
        response = self._backend.status(request)
        return _printed(response, preserving_proto_field_name=True).encode()

    def _metadata(self, match):
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        _fill_spec(request.model_spec, match)
        request.metadata_field.append(SIGNATURES)
        response = self._backend.metadata(request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[SIGNATURES].Unpack(signatures)
        parts = {
            "model_spec": _read_back(response.model_spec),
            "metadata": {SIGNATURES: _read_back(signatures)},
        }
        return json.dumps(parts, indent=1).encode()


class _VersionTooLarge(Exception):
    """A version that no int64 holds."""


def _fill_spec(model_spec, match):
    if match["version"] and int(match["version"][:20]) >= 2**63:
        raise _VersionTooLarge
    model_spec.name = unquote(match["name"])
    if match["version"]:
        model_spec.version.value = int(match["version"])
    if match["label"]:
        model_spec.version_label = unquote(match["label"])


def _unpacked(body, encoding):
    if encoding.lower() != "gzip":
        return body
    try:
        unpacking = zlib.decompressobj(_GZIP)
        unpacked = unpacking.decompress(body, LARGEST_BODY + 1)
    except zlib.error as error:
        raise invalid(f"the body is no gzip: {error}") from error
    if len(unpacked) > LARGEST_BODY or not unpacking.eof:
        raise invalid(f"the body is cut, or unpacks to over {LARGEST_BODY} bytes")
    return unpacked


def _printed(message, **settings):
    return json_format.MessageToJson(
        message, always_print_fields_with_no_presence=True, indent=1, **settings
    )


def _read_back(message):
    return json.loads(_printed(message, preserving_proto_field_name=True))
