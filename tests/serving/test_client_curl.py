"""The example for REST: the committed request, sent by curl."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from serving_lists import FEATURES

from psad_tf.data.packing import pack_lists, packed_columns
from psad_tf.data.ranking_list import RankingList
from serving.client import RerankClient
from serving.messages import PROTO_FOLDER

REQUEST = PROTO_FOLDER.parent / "examples" / "curl" / "rank.json"


def as_list() -> RankingList:
    """The list that the committed request is about."""
    inputs = json.loads(REQUEST.read_text())["inputs"]
    names = packed_columns(FEATURES)

    def items(place):
        columns = names[f"{place}_text"] + names[f"{place}_values"]
        prefix = "" if place == "user" else f"{place}_"
        rows = inputs[f"{place}_text"][0], inputs[f"{place}_values"][0]
        pairs = [rows] if place == "user" else zip(*rows, strict=True)
        return [
            dict(
                zip(
                    (name.removeprefix(prefix) for name in columns),
                    [*text, *map(float, values)],
                    strict=True,
                )
            )
            for text, values in pairs
        ]

    return RankingList(items("user")[0], items("candidate"), items("history"))


def test_the_request_is_what_the_python_client_sends():
    inputs = json.loads(REQUEST.read_text())["inputs"]
    packed = pack_lists([as_list()], FEATURES)
    assert inputs.keys() == packed.keys()
    for name, array in packed.items():
        given = np.array(inputs[name])
        assert given.shape == array.shape, name
        if array.dtype == object:
            array = np.vectorize(bytes.decode)(array)
        np.testing.assert_array_equal(given.astype(array.dtype), array)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_gets_the_order_that_the_python_client_gets(target, rest_url):
    url = f"{rest_url}/v1/models/psad:predict"
    run = subprocess.run(
        ["curl", "--silent", "--fail-with-body", "--max-time", "20"]
        + ["--data", f"@{REQUEST}", url],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    outputs = json.loads(run.stdout)["outputs"]
    with RerankClient(target, FEATURES, timeout=20.0, signature="rank") as client:
        expected = client.rerank(as_list())
    assert outputs["order"][0][:3] == list(expected.order) == [0, 1, 2]
    scores = [outputs["scores"][0][place] for place in expected.order]
    np.testing.assert_allclose(scores, expected.scores, rtol=1e-6)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_fails_where_the_server_refuses(rest_url):
    run = subprocess.run(
        ["curl", "--silent", "--fail-with-body", "--max-time", "20", "--data", "{}"]
        + [f"{rest_url}/v1/models/psad:predict"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 22  # what curl gives for 400 and above
    assert "Missing 'inputs' or 'instances' key" in json.loads(run.stdout)["error"]
