"""Requests as they are on the wire, for what the real client never sends."""

import importlib

import grpc
import numpy as np
from google.protobuf import text_format

from serving.client import open_channel
from serving.messages import GET_MODEL_STATUS, PREDICT, PredictRequest
from serving.tensors import fill_tensor

METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
CHECK = "/grpc.health.v1.Health/Check"
STATUS = GET_MODEL_STATUS


def predict_request(signature="", inputs=None, name="psad", version=None, only=()):
    """A PredictRequest; `inputs` are arrays by alias, or made TensorProtos."""
    request = PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    request.output_filter.extend(only)
    for alias, value in (inputs or {}).items():
        if isinstance(value, np.ndarray):
            fill_tensor(request.inputs[alias], value)
        else:
            request.inputs[alias].CopyFrom(value)
    return request


def official(kind, text="", **fields):
    """A message of `tensorflow_serving.apis`: `module.Message`, its fields or text."""
    module, name = kind.split(".")
    module = importlib.import_module(f"tensorflow_serving.apis.{module}")
    return text_format.Parse(text, getattr(module, name)(**fields))


def call(target, method, request, timeout=10.0):
    """The answer's bytes to a message (or to raw bytes)."""
    sent = request if isinstance(request, bytes) else request.SerializeToString()
    with open_channel(target) as channel:
        return channel.unary_unary(method)(sent, timeout=timeout)


def fault(target, method, request, timeout=10.0):
    """The (code, message) a call fails with."""
    try:
        call(target, method, request, timeout)
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("the call did not fail")


def predict(target, request, timeout=10.0):
    """The bytes of a Predict answer."""
    return call(target, PREDICT, request, timeout)
