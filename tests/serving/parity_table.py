"""What TensorFlow Serving 2.19.1 was seen to answer on the wire, as data.

One row a case: a request, the code and the message. `DIFFERENT` holds what the embedded
server does otherwise on purpose, and `BATCHING` the cases that need a flag it refuses.
"""

import re

import grpc
import numpy as np
from parity_requests import (
    CLASSIFY,
    NO_CANDIDATES,
    NO_EXAMPLES,
    RANK,
    REGRESS,
    RELOAD,
    STEPS,
    TWO_LISTS,
    classified,
    listed,
    metadata,
    predict_official,
    reload_of,
    shaped,
    status,
    steps,
)
from raw_client import METADATA, STATUS, official, predict_request

from serving.messages import PREDICT, PredictRequest

Code = grpc.StatusCode
INVALID = Code.INVALID_ARGUMENT
NO_TENSOR = "tensor parsing error: steps"


def text(message):
    """A pattern for just this message."""
    return re.escape(message)


# Case: (method, request, code, pattern of the message).
FAULTS = {
    "no model_spec": (PREDICT, PredictRequest(), INVALID, "Missing ModelSpec"),
    "empty name": (
        PREDICT,
        predict_request("slow", name=""),
        INVALID,
        text("ModelSpec has no name specified."),
    ),
    "unknown model": (
        PREDICT,
        predict_request(name="nope"),
        Code.NOT_FOUND,
        text("Servable not found for request: Latest(nope)"),
    ),
    "unknown model and version": (
        PREDICT,
        predict_request(name="nope", version=2),
        Code.NOT_FOUND,
        text("Servable not found for request: Specific(nope, 2)"),
    ),
    "unknown version": (
        PREDICT,
        predict_request(version=9),
        Code.NOT_FOUND,
        text("Servable not found for request: Specific(psad, 9)"),
    ),
    "unknown label": (
        PREDICT,
        predict_official(name="psad", version_label="canary"),
        INVALID,
        text("Unrecognized servable version label: canary"),
    ),
    "unknown signature": (
        PREDICT,
        predict_request("zz"),
        Code.FAILED_PRECONDITION,
        text('Serving signature key "zz" not found.'),
    ),
    "missing input": (
        PREDICT,
        predict_request("slow"),
        INVALID,
        text(
            "input size does not match signature: 0!=1 len({}) != len({steps}). "
            "Sent extra: {}. Missing but required: {steps}."
        ),
    ),
    "extra input": (
        PREDICT,
        steps(STEPS, more=STEPS),
        INVALID,
        text(
            "input size does not match signature: 2!=1 len({more,steps}) != "
            "len({steps}). Sent extra: {more}. Missing but required: {}."
        ),
    ),
    "renamed input": (
        PREDICT,
        predict_request("slow", {"step": STEPS}),
        INVALID,
        text(
            "Signature input alias: steps(feed name: slow_steps:0) not found in "
            "request and no default value provided. Inputs expected to be in the "
            "request {step}, or default input alias set: "
        ),
    ),
    "wrong dtype": (
        PREDICT,
        steps(np.array(3.0)),
        INVALID,
        text("Expects arg[0] to be int32 but double is provided"),
    ),
    # From here on to the bytes the text is the kernel's, or the session's.
    "wrong feature dim": (
        PREDICT,
        predict_request("rank", RANK | {"user_text": np.full((1, 99), b"", object)}),
        INVALID,
        r"input user_text has the shape \[1,99\], .*",
    ),
    "wrong rank": (
        PREDICT,
        predict_request("rank", RANK | {"candidate_count": np.int32([[2]])}),
        INVALID,
        ".*shape.*",
    ),
    "batch mismatch": (
        PREDICT,
        predict_request("rank", TWO_LISTS | {"candidate_count": np.int32([2, 2, 2])}),
        INVALID,
        "condition .* must be broadcastable.*",
    ),
    "no example": (
        PREDICT,
        predict_request(inputs={"examples": np.array([b"\xff"], object)}),
        INVALID,
        "(?s).*Could not parse example input.*",
    ),
    "bytes that do not match the shape": (
        PREDICT,
        steps(shaped(2, content=b"\0")),
        INVALID,
        NO_TENSOR,
    ),
    "negative dim": (PREDICT, steps(shaped(-1)), INVALID, NO_TENSOR),
    "huge dim": (PREDICT, steps(shaped(2**62)), INVALID, NO_TENSOR),
    "dtype 0": (PREDICT, steps(shaped(dtype=0)), INVALID, NO_TENSOR),
    "bad output_filter": (
        PREDICT,
        predict_request("slow", {"steps": STEPS}, only=["zz"]),
        INVALID,
        text(
            "output tensor alias not found in signature: zz Outputs expected to be in "
            "the set {steps,value}."
        ),
    ),
    "repeated output_filter": (
        PREDICT,
        predict_request("slow", {"steps": STEPS}, only=["value", "value"]),
        INVALID,
        text("duplicate output tensor alias: value"),
    ),
    "metadata without model_spec": (
        METADATA,
        official("get_model_metadata_pb2.GetModelMetadataRequest"),
        INVALID,
        "Missing ModelSpec",
    ),
    "metadata without field": (
        METADATA,
        metadata(name="psad"),
        INVALID,
        "GetModelMetadataRequest must specify at least one metadata_field",
    ),
    "metadata with another field": (
        METADATA,
        metadata("zz", name="psad"),
        INVALID,
        "Metadata field zz is not supported",
    ),
    "status without model_spec": (
        STATUS,
        official("get_model_status_pb2.GetModelStatusRequest"),
        INVALID,
        "Missing ModelSpec",
    ),
    "status of an unknown version": (
        STATUS,
        status(name="psad", version={"value": 9}),
        Code.NOT_FOUND,
        "Could not find version 9 of model psad",
    ),
    "status of an unknown model": (
        STATUS,
        status(name="nope"),
        Code.NOT_FOUND,
        "Could not find any versions of model nope",
    ),
    "classify with many inputs": (
        CLASSIFY,
        classified("rank"),
        INVALID,
        text("Expected one input Tensor."),
    ),
    "regress with many inputs": (
        REGRESS,
        classified("rank"),
        INVALID,
        text("Expected one input Tensor."),
    ),
    "garbage bytes": (PREDICT, b"\xff\xff\xff", Code.INTERNAL, ""),
    "unknown method": (
        "/tensorflow.serving.PredictionService/Nope",
        b"",
        Code.UNIMPLEMENTED,
        "",
    ),
    "unregistered service": (
        "/tensorflow.serving.SessionService/SessionRun",
        b"",
        Code.UNIMPLEMENTED,
        "",
    ),
    "reload of an empty config": (
        RELOAD,
        reload_of(""),
        INVALID,
        text(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        ),
    ),
    "reload with a relative path": (
        RELOAD,
        reload_of(f"model_config_list {{ {listed(path='models')} }}"),
        INVALID,
        text(
            "Expected model psad to have an absolute path or URI; got "
            "base_path()=models"
        ),
    ),
    "reload with a name twice": (
        RELOAD,
        reload_of(f"model_config_list {{ {listed()} {listed()} }}"),
        INVALID,
        "Illegal to list model psad multiple times in config list",
    ),
    "reload with an unknown platform": (
        RELOAD,
        reload_of(f"model_config_list {{ {listed(platform='torch')} }}"),
        INVALID,
        "Model psad requests unsupported platform torch",
    ),
}

# Answers that the real server gives too, whatever one might wish: the client checks.
ANSWERS = {
    "0 rows": (predict_request(inputs=NO_EXAMPLES), (0, 20)),
    "0 candidates": (
        predict_request("rank", RANK | NO_CANDIDATES),
        (1, 20),
    ),
    "NaN": (
        predict_request(
            "rank",
            RANK | {"candidate_values": np.full_like(RANK["candidate_values"], np.nan)},
        ),
        (1, 20),
    ),
}

# Case → why the embedded server answers otherwise.
DIFFERENT = {
    "a jit_compile signature under default flags": "it is compiled and answered",
    "reload naming a missing path": "refused at once; the real one waits for ever",
    "half-copied version": "END with the error, and tried again when files change",
    "a correct reload after a rejected one": "taken; the real one keeps the bad one",
}

# Codes of server-side batching, which the embedded server refuses to be started with.
BATCHING = {
    "rows > max_batch_size": INVALID,
    "dim-0 differs / scalar": INVALID,
    "other inner shapes in one batch": Code.FAILED_PRECONDITION,
    "queue full": Code.UNAVAILABLE,
    "all tasks timed out in queue": Code.RESOURCE_EXHAUSTED,
    "zero rows": Code.DEADLINE_EXCEEDED,
}
