"""What the embedded server answers to good requests; see test_parity for the rest."""

import time
from dataclasses import replace

import grpc
import numpy as np
import pytest
from raw_client import (
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
from serving.client_channel import open_channel
from serving.messages import PREDICT, PredictResponse
from serving.tensors import read_tensor

Code = grpc.StatusCode
TWO = ranking_list([1.0, 2.0])
RANK = pack_lists([TWO], FEATURES)
STEPS = np.array(3, np.int32)


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


def test_a_call_without_a_deadline_is_answered(target):
    with open_channel(target) as channel:
        answer = channel.unary_unary(PREDICT)(
            predict_request("slow", {"steps": STEPS}).SerializeToString()
        )
    assert read_tensor(PredictResponse.FromString(answer).outputs["steps"]) == 3


def test_the_metadata_is_the_signatures(target):
    pb2 = pytest.importorskip("tensorflow_serving.apis.get_model_metadata_pb2")
    request = pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "psad"
    response = pb2.GetModelMetadataResponse.FromString(call(target, METADATA, request))
    signatures = pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    assert response.model_spec.version.value == 1
    assert sorted(signatures.signature_def["rank"].inputs) == sorted(RANK)


def test_the_status_is_that_of_each_version(target):
    pb2 = pytest.importorskip("tensorflow_serving.apis.get_model_status_pb2")
    request = pb2.GetModelStatusRequest()
    request.model_spec.name = "psad"
    response = pb2.GetModelStatusResponse.FromString(call(target, STATUS, request))
    assert [(v.version, v.state) for v in response.model_version_status] == [(1, 30)]


def test_a_list_wider_than_the_model_is_refused_before_it_is_sent(target):
    wide = replace(TWO, candidates=list(TWO.candidates) * 11)
    with RerankClient(target, FEATURES) as client:
        with pytest.raises(ValueError, match="22 candidates"):
            client.rerank(wide)
