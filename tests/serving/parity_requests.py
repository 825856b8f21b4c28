"""The requests of the parity table, and the arrays they are made of."""

import numpy as np
from raw_client import official, predict_request
from serving_lists import FEATURES, ranking_list

from psad_tf.data.packing import pack_lists
from serving.messages import TensorProto

RANK = pack_lists([ranking_list([1.0, 2.0])], FEATURES)
TWO_LISTS = pack_lists([ranking_list([1.0, 2.0])] * 2, FEATURES)
STEPS = np.array(3, np.int32)
NO_CANDIDATES = {
    "candidate_text": RANK["candidate_text"][:, :0],
    "candidate_values": RANK["candidate_values"][:, :0],
    "candidate_count": np.int32([0]),
}
NO_EXAMPLES = {"examples": np.empty(0, object)}
CLASSIFY = "/tensorflow.serving.PredictionService/Classify"
REGRESS = "/tensorflow.serving.PredictionService/Regress"
RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"


def shaped(*sizes, dtype=3, content=b""):
    proto = TensorProto(dtype=dtype, tensor_content=content)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def steps(value, **more):
    return predict_request("slow", {"steps": value, **more})


def predict_official(**model_spec):
    return official("predict_pb2.PredictRequest", model_spec=model_spec)


def status(**model_spec):
    return official("get_model_status_pb2.GetModelStatusRequest", model_spec=model_spec)


def metadata(*fields, **model_spec):
    return official(
        "get_model_metadata_pb2.GetModelMetadataRequest",
        model_spec=model_spec,
        metadata_field=fields,
    )


def classified(signature):
    spec = {"name": "psad", "signature_name": signature}
    return official("classification_pb2.ClassificationRequest", model_spec=spec)


def reload_of(text_config):
    return official(
        "model_management_pb2.ReloadConfigRequest", text=f"config {{ {text_config} }}"
    )


def listed(more="", name="psad", path="/models", platform="tensorflow"):
    return (
        f'config {{ name: "{name}" base_path: "{path}" '
        f'model_platform: "{platform}" {more} }}'
    )
