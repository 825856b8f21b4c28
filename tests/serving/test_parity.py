"""The embedded server against the table of what TensorFlow Serving 2.19.1 answers."""

import re
from concurrent import futures

import grpc
import numpy as np
import pytest
from embedded import start
from parity_table import ANSWERS, BATCHING, DIFFERENT, FAULTS
from raw_client import call, fault, predict, predict_request
from rest_table import HTML_404, REPLIES, send

from serving.client_channel import open_channel
from serving.messages import PREDICT, PredictResponse
from serving.options import parse
from serving.tensors import read_tensor

ENDLESS = predict_request("slow", {"steps": np.array(2**31 - 1, np.int32)})


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_has_the_code_and_message_of_the_real_server(target, case):
    method, request, code, pattern = FAULTS[case]
    told_code, told = fault(target, method, request)
    assert told_code == code, told
    assert re.fullmatch(pattern, told, re.DOTALL), told


@pytest.mark.parametrize("case", ANSWERS)
def test_what_the_real_server_answers_is_answered(target, case):
    request, shape = ANSWERS[case]
    response = PredictResponse.FromString(predict(target, request))
    assert read_tensor(response.outputs["scores"]).shape == shape
    if case == "NaN":
        assert np.isnan(read_tensor(response.outputs["scores"])).any()


def test_a_deadline_is_the_clients_to_name(target):
    code, message = fault(target, PREDICT, ENDLESS, timeout=0.2)
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    # The client's own words, or the session's where it is the first to tell.
    assert message in ("Deadline Exceeded", "Timed out waiting for notification")


def test_busy_threads_are_told_in_the_real_words(base):
    server, target = start(base, grpc_max_threads=1, max_queued_requests=0)
    told = []
    with open_channel(target) as channel, futures.ThreadPoolExecutor(1) as pool:
        ask = channel.unary_unary(PREDICT)
        sent = ENDLESS.SerializeToString()
        running = pool.submit(lambda: ask(sent, timeout=2, wait_for_ready=True))
        # Until the first one runs, the second is the one that does, for a moment.
        while not told or told[-1][0] is grpc.StatusCode.DEADLINE_EXCEEDED:
            told.append(fault(target, PREDICT, ENDLESS, timeout=0.1))
        assert isinstance(running.exception(), grpc.RpcError)
    server.stop()
    assert told[-1] == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "Server Threadpool Exhausted",
    )


def test_server_side_batching_is_refused_with_its_table(tmp_path, capsys):
    assert BATCHING
    with pytest.raises(SystemExit):
        parse([f"--model_base_path={tmp_path}", "--enable_batching"])
    assert "inside the exported graph" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse([f"--model_base_path={tmp_path}", "--batching_parameters_file=x"])


def test_a_compiled_signature_is_answered(tmp_path):
    """The real server refuses it under default flags; `DIFFERENT` says so."""
    import tensorflow as tf

    @tf.function(
        jit_compile=True, input_signature=[tf.TensorSpec([None], tf.float32, "x")]
    )
    def double(x):
        return {"y": 2.0 * x}

    module = tf.Module()
    module.double = double
    tf.saved_model.save(module, str(tmp_path / "m" / "1"), {"double": double})
    server, target = start(tmp_path / "m")
    x = np.float32([1.0, 2.5])
    answer = predict(target, predict_request("double", {"x": x}))
    server.stop()
    response = PredictResponse.FromString(answer)
    np.testing.assert_array_equal(read_tensor(response.outputs["y"]), [2.0, 5.0])
    assert "a jit_compile signature under default flags" in DIFFERENT


@pytest.mark.parametrize("case", REPLIES)
def test_rest_replies_as_the_real_server_does(rest_url, case):
    request, status, expected = REPLIES[case]
    reply = send(rest_url, **request)
    assert reply.status == status, reply.text
    if isinstance(expected, str):
        assert reply.text == expected
    else:
        assert expected(reply.json)
    assert reply.content_type == (
        "text/html" if case in HTML_404 else "application/json"
    )


def test_health_is_told_by_the_real_names(target):
    from grpc_health.v1 import health_pb2

    check = "/grpc.health.v1.Health/Check"
    for service in ("", "ModelService", "PredictionService"):
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2.HealthCheckResponse.FromString(call(target, check, request))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    long_name = health_pb2.HealthCheckRequest(
        service="tensorflow.serving.PredictionService"
    )
    assert fault(target, check, long_name)[0] == grpc.StatusCode.NOT_FOUND
