"""REST beside the table of test_parity: JSON and tensors, connections, the drain."""

import http.client
import json
import socket
import threading

import numpy as np
import pytest
from embedded import free_port, start
from rest_table import MODEL, error, send

from serving.fault import Fault
from serving.json_tensors import read_array, write_array
from serving.rest import LARGEST_BODY

FLOAT, INT32, UINT8, STRING, INT64, BOOL, HALF = 1, 3, 4, 7, 9, 10, 19


@pytest.mark.parametrize(
    ("value", "data_type", "expected"),
    [
        (1.5, FLOAT, np.float32(1.5)),
        ([[1, 2.5], [3, 4]], FLOAT, np.float32([[1, 2.5], [3, 4]])),
        ([float("nan")], FLOAT, np.float32([np.nan])),
        ([0.1], HALF, np.float16([0.1])),
        ([-(2**31), 2**31 - 1], INT32, np.int32([-(2**31), 2**31 - 1])),
        ([2**62], INT64, np.int64([2**62])),
        ([True, False], BOOL, np.array([True, False])),
        ([], FLOAT, np.zeros(0, np.float32)),
        ([[], []], INT32, np.zeros((2, 0), np.int32)),
    ],
)
def test_numbers_become_tensors(value, data_type, expected):
    array = read_array(value, data_type)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)


def test_strings_are_text_or_base64():
    array = read_array(["é", {"b64": "AAH/"}], STRING)
    assert array.tolist() == ["é".encode(), b"\x00\x01\xff"]


@pytest.mark.parametrize(
    ("value", "data_type", "told"),
    [
        ("1", FLOAT, 'JSON Value: "1" Type: String is not of expected type: float32'),
        (None, FLOAT, "Type: Null is not"),
        (True, FLOAT, "Type: True is not"),
        ([1], BOOL, "Type: Number is not"),
        ([1.5], INT32, "Type: Number is not"),
        ([2**31], INT32, "is not of expected type: int32"),
        ([-1], UINT8, "is not of expected type: uint8"),
        ([1e39], FLOAT, "to float32 without loss of precision"),
        ([10**400], FLOAT, "without loss of precision"),
        ([5], STRING, "Type: Number is not"),
        ([{"b64": "?"}], STRING, "Unable to base64 decode"),
        ([{"b65": "AA=="}], STRING, "Type: Object is not"),
        (["\ud800"], STRING, "no Unicode"),
        ([[1], [2, 3]], INT32, "unexpected size: 2 at level: 1 expected size: 1"),
        ([[1], 2], INT32, "found at incorrect level: 2"),
        ([1, [2]], INT32, "Encountered list at unexpected level: 1 expected < 1"),
    ],
)
def test_a_value_that_is_no_tensor_is_told(value, data_type, told):
    with pytest.raises(Fault) as raised:
        read_array(value, data_type)
    assert told in raised.value.message


def test_lists_nested_too_deep_are_refused():
    value = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(Fault, match="nested more than 32 deep"):
        read_array(value, INT32)


@pytest.mark.parametrize("seed", range(5))
def test_float32_survives_json_bit_by_bit(seed):
    array = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    text = json.dumps(write_array(array, "x"))
    np.testing.assert_array_equal(np.float32(json.loads(text)), array)
    assert json.dumps(write_array(np.float32([0.2]), "x")) == "[0.2]"  # and is short


def test_bytes_are_base64_when_the_name_says_so():
    array = np.array([b"\xff"], object)
    assert write_array(array, "image_bytes") == [{"b64": "/w=="}]
    assert write_array(np.array([b"a"], object), "text") == ["a"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"inputs": 1, "instances": [1]}, "only one of 'inputs' or 'instances'"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": 1}, "'instances' to be an list/array"),
        ({"signature_name": 1, "instances": [1]}, "must be a string value"),
        ({"signature_name": "rank", "instances": [1]}, "instances is a plain list"),
        ({"signature_name": "rank", "inputs": [1]}, "inputs is a plain value/list"),
        ({"signature_name": "rank", "instances": [{"x": 1}]}, "keys must be equal"),
        ({"instances": ["a", {"examples": "a"}]}, "got object at item 1"),
        ({"instances": [{"examples": "a"}, "a"]}, "got list at item 1"),
        (
            {"signature_name": "slow", "instances": [3]},
            # Its one input is a scalar, to which rows give a dimension.
            "input steps has the shape [1], which is not the signature's []",
        ),
        (b"[1]", "Is not object"),
        (b"[" * 100_000, "JSON Parse error"),
        (b"\xff", "JSON Parse error"),
    ],
)
def test_a_body_that_cannot_be_run_is_400(rest_url, body, told):
    reply = send(rest_url, f"{MODEL}:predict", body)
    assert reply.status == 400, reply.text
    assert told in reply.json["error"]


@pytest.fixture
def connection(rest_url):
    one = http.client.HTTPConnection(rest_url.removeprefix("http://"), timeout=10)
    yield one
    one.close()


def test_a_connection_is_kept_for_many_requests(connection):
    sockets = []
    for _ in range(3):
        connection.request("GET", MODEL)
        assert connection.getresponse().read()
        sockets.append(connection.sock)
    assert sockets[0] is not None and len(set(sockets)) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "x"}, 400),
        ({"Content-Length": str(LARGEST_BODY + 1)}, 413),
        ({"Content-Length": "9" * 400}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_a_body_of_no_good_length_is_refused_unread(connection, headers, status):
    connection.putrequest("POST", f"{MODEL}:predict")
    for header in headers.items():
        connection.putheader(*header)
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == status
    assert reply.getheader("Connection") == "close"
    assert json.loads(reply.read())["error"]


def test_a_head_has_no_body(connection):
    connection.request("HEAD", MODEL)
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (400, b"")


def test_a_deadline_is_a_504_and_requests_under_way_are_drained(base):
    port = free_port()
    server, _ = start(base, rest_api_port=port, rest_api_timeout_in_ms=800)
    url, replies = f"http://127.0.0.1:{port}", []
    endless = {"signature_name": "slow", "inputs": 2**31 - 1}
    thread = threading.Thread(
        target=lambda: replies.append(send(url, f"{MODEL}:predict", endless))
    )
    thread.start()
    rest = server._rest._server
    while not rest._running:
        threading.Event().wait(0.005)
    server.stop()
    thread.join()
    (reply,) = replies
    assert reply.status == 504
    assert reply.json["error"] == "Timed out waiting for notification"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 1):
        pass


def test_a_rest_port_in_use_is_told(base):
    from serving.option_error import OptionError

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OptionError, match="another --rest_api_port"):
            start(base, rest_api_port=taken.getsockname()[1])


def test_without_the_monitoring_file_there_are_no_metrics(base):
    port = free_port()
    server, _ = start(base, rest_api_port=port)
    reply = send(f"http://127.0.0.1:{port}", "/monitoring/prometheus/metrics")
    server.stop()
    assert reply.status == 404


def test_the_layout_of_an_error_is_that_of_the_real_server():
    assert error("x") == '{\n    "error": "x"\n}'
