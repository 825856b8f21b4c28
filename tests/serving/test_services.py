"""The embedded server's codes and messages, as TensorFlow Serving's were seen."""

import time
from dataclasses import replace

import grpc
import numpy as np
import pytest
from raw_client import (
    CHECK,
    METADATA,
    STATUS,
    call,
    fault,
    predict,
    predict_request,
)
from serving_lists import FEATURES, ranking_list

from psad_tf.data.packing import pack_lists
from serving.client import RerankClient
from serving.messages import PREDICT, PredictRequest, PredictResponse, TensorProto
from serving.tensors import read_tensor

Code = grpc.StatusCode
INVALID = Code.INVALID_ARGUMENT
TWO = ranking_list([1.0, 2.0])
RANK = pack_lists([TWO], FEATURES)
STEPS = np.array(3, np.int32)
SHORT = TensorProto(dtype=3, tensor_content=b"\0")
NAMES = ",".join(sorted(RANK))


def renamed(old, new):
    return {new if name == old else name: array for name, array in RANK.items()}


CODES = {
    "no model spec": (PredictRequest(), INVALID, "Missing ModelSpec"),
    "empty name": (
        predict_request(name="", signature="slow"),
        INVALID,
        "ModelSpec has no name specified.",
    ),
    "unknown model": (
        predict_request(name="nope"),
        Code.NOT_FOUND,
        "Servable not found for request: Latest(nope)",
    ),
    "unknown model and version": (
        predict_request(name="nope", version=2),
        Code.NOT_FOUND,
        "Servable not found for request: Specific(nope, 2)",
    ),
    "unknown version": (
        predict_request(version=9),
        Code.NOT_FOUND,
        "Servable not found for request: Specific(psad, 9)",
    ),
    "unknown signature": (
        predict_request("zz"),
        Code.FAILED_PRECONDITION,
        'Serving signature key "zz" not found.',
    ),
    "missing input": (
        predict_request("slow"),
        INVALID,
        "input size does not match signature: 0!=1 len({}) != len({steps}). "
        "Sent extra: {}. Missing but required: {steps}.",
    ),
    "extra input": (
        predict_request("slow", {"steps": STEPS, "more": STEPS}),
        INVALID,
        "input size does not match signature: 2!=1 len({more,steps}) != len({steps}). "
        "Sent extra: {more}. Missing but required: {}.",
    ),
    "renamed input": (
        predict_request("slow", {"step": STEPS}),
        INVALID,
        "Signature input alias: steps(feed name: slow_steps:0) not found in request "
        "and no default value provided. Inputs expected to be in the request {step}, "
        "or default input alias set: ",
    ),
    "wrong type": (
        predict_request("slow", {"steps": np.array(3.0)}),
        INVALID,
        "Expects arg[0] to be int32 but double is provided",
    ),
    "bad bytes": (
        predict_request("slow", {"steps": SHORT}),
        INVALID,
        "tensor parsing error: steps",
    ),
    "no type": (
        predict_request("slow", {"steps": TensorProto()}),
        INVALID,
        "tensor parsing error: steps",
    ),
    "unknown output": (
        predict_request("slow", {"steps": STEPS}, only=["zz"]),
        INVALID,
        "output tensor alias not found in signature: zz Outputs expected to be in the "
        "set {steps,value}.",
    ),
    "output twice": (
        predict_request("slow", {"steps": STEPS}, only=["value", "value"]),
        INVALID,
        "duplicate output tensor alias: value",
    ),
}


@pytest.mark.parametrize("case", CODES)
def test_a_bad_request_gets_the_code_and_message_of_the_real_server(target, case):
    request, code, message = CODES[case]
    assert fault(target, PREDICT, request) == (code, message)


def test_an_unknown_label_is_named(target):
    predict_pb2 = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "psad"
    request.model_spec.version_label = "canary"
    told = (INVALID, "Unrecognized servable version label: canary")
    assert fault(target, PREDICT, request) == told


def test_a_shape_that_the_signature_rules_out_is_refused(target):
    wide = {**RANK, "user_text": np.full((1, 99), b"", object)}
    code, message = fault(target, PREDICT, predict_request("rank", wide))
    assert code == INVALID
    assert "99" in message


def test_an_error_of_the_graph_is_the_clients(target):
    request = predict_request(inputs={"examples": np.array([b"\xff"], object)})
    code, message = fault(target, PREDICT, request)
    assert code == INVALID
    assert "Could not parse example input" in message


def test_other_calls_are_unimplemented(target):
    method = "/tensorflow.serving.PredictionService/Classify"
    assert fault(target, method, b"")[0] == Code.UNIMPLEMENTED


def test_an_answer_names_what_answered_and_filters(target):
    request = predict_request("slow", {"steps": STEPS}, version=1, only=["steps"])
    response = PredictResponse.FromString(predict(target, request))
    assert list(response.outputs) == ["steps"]
    assert read_tensor(response.outputs["steps"]) == 3
    assert response.outputs["steps"].int_val  # values, as the real server answers
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("psad", 1, "slow")


@pytest.mark.parametrize("signature", ["serving_default", "rank"])
def test_both_signatures_rank_alike(target, signature):
    lists = [ranking_list([1, 3, 2]), ranking_list([5, 4], ["a", "gold"], history=0)]
    with RerankClient(target, FEATURES, signature=signature, timeout=10) as client:
        first, second = client.rerank_batch(lists)
    assert (first.item_ids, first.scores) == (("i1", "i2", "i0"), (3, 2, 1))
    # The table of bonuses was restored with the model: 4 + 100 beats 5.
    assert (second.item_ids, second.scores) == (("gold", "a"), (104, 5))


def test_a_deadline_that_passes_stops_the_run(target):
    endless = predict_request("slow", {"steps": np.array(2**31 - 1, np.int32)})
    began = time.monotonic()
    assert fault(target, PREDICT, endless, timeout=0.3)[0] == Code.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 2.0


def test_the_metadata_is_the_signatures(target):
    pb2 = pytest.importorskip("tensorflow_serving.apis.get_model_metadata_pb2")
    request = pb2.GetModelMetadataRequest()
    assert fault(target, METADATA, request) == (INVALID, "Missing ModelSpec")
    request.model_spec.name = "psad"
    told = "GetModelMetadataRequest must specify at least one metadata_field"
    assert fault(target, METADATA, request) == (INVALID, told)
    request.metadata_field.append("signature_def")
    response = pb2.GetModelMetadataResponse.FromString(call(target, METADATA, request))
    assert response.model_spec.version.value == 1
    signatures = pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    assert set(RANK) == set(signatures.signature_def["rank"].inputs)
    request.metadata_field.append("zz")
    told = (INVALID, "Metadata field zz is not supported")
    assert fault(target, METADATA, request) == told


def test_the_status_tells_versions_and_what_is_unknown(target):
    pb2 = pytest.importorskip("tensorflow_serving.apis.get_model_status_pb2")
    request = pb2.GetModelStatusRequest()
    assert fault(target, STATUS, request) == (INVALID, "Missing ModelSpec")
    request.model_spec.name = "psad"
    response = pb2.GetModelStatusResponse.FromString(call(target, STATUS, request))
    assert [(v.version, v.state) for v in response.model_version_status] == [(1, 30)]
    request.model_spec.version.value = 9
    told = (Code.NOT_FOUND, "Could not find version 9 of model psad")
    assert fault(target, STATUS, request) == told
    request.model_spec.name = "nope"
    told = (Code.NOT_FOUND, "Could not find any versions of model nope")
    assert fault(target, STATUS, request) == told


@pytest.mark.parametrize("service", ["", "ModelService", "PredictionService"])
def test_the_health_service_says_serving(target, service):
    from grpc_health.v1 import health_pb2

    request = health_pb2.HealthCheckRequest(service=service)
    response = health_pb2.HealthCheckResponse.FromString(call(target, CHECK, request))
    assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_a_list_wider_than_the_model_is_refused_before_it_is_sent(target):
    wide = replace(TWO, candidates=list(TWO.candidates) * 11)
    with RerankClient(target, FEATURES) as client:
        with pytest.raises(ValueError, match="22 candidates"):
            client.rerank(wide)
