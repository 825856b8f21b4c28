"""Warm-up records: requests that a model server replays before it calls itself ready.

They are made up from the feature set alone, so no user's data enters the artifact.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import Feature, FeatureSet

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def _placeholder(feature: Feature) -> str | float:
    return "" if feature.kind.is_text else 0.0


def _made_up_list(features: FeatureSet, candidates: int, history: int) -> RankingList:
    return RankingList(
        user={f.name: _placeholder(f) for f in features.user},
        candidates=[{f.name: _placeholder(f) for f in features.of_candidates()}]
        * candidates,
        history=[{f.name: _placeholder(f) for f in features.of_history()}] * history,
    )


def warmup_requests(features: FeatureSet) -> list[predict_pb2.PredictRequest]:
    """One request for each signature and each of a full and a smallest list."""
    sizes = (features.list_length, features.history_length), (1, 0)
    requests = []
    for candidates, history in sizes:
        made_up = _made_up_list(features, candidates, history)
        inputs = {"serving_default": {"examples": [encode_list(made_up, features)]}}
        inputs["rank"] = pack_lists([made_up], features)
        for signature, arrays in inputs.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, array in arrays.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            requests.append(request)
    return requests


def write_warmup(path: Path, features: FeatureSet) -> None:
    """Writes the warm-up records into a SavedModel's folder."""
    file = path / WARMUP_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for request in warmup_requests(features):
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString(deterministic=True))
