"""Warm-up records: requests that a model server replays before it calls itself ready.

They are made up from the feature set alone, so no user's data enters the artifact.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import Feature, FeatureSet
from psad_tf.serving_config import ServingConfig

# (signature, the arrays of `rank`, (candidates, past items)) -> the signature's arrays
Extra = Callable[[str, dict, tuple[int, int]], dict]
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


def warmup_requests(
    features: FeatureSet, serving: ServingConfig, extra: Extra | None = None
) -> Iterator[predict_pb2.PredictRequest]:
    """Requests after which no shape is new.

    Args:
        features: The data set's features.
        serving: How the graph runs a request.
        extra: What the extra signatures are sent; needed where there are any.

    One for each signature, each width and each number of lists at once, the fullest
    first: what they need of memory is there from the start. The last ones are about a
    single candidate without history.
    """
    widths = sorted(serving.widths(features), reverse=True)
    sizes = sorted(serving.warmup_sizes(), reverse=True)
    for width, lists in (*itertools.product(widths, sizes), ((1, 0), 1)):
        made_up = _made_up_list(features, *width)
        packed = pack_lists([made_up] * lists, features)
        examples = {"examples": [encode_list(made_up, features)] * lists}
        for signature in serving.signatures():
            if signature == "serving_default":
                arrays = examples
            elif signature in ("rank", "rank_plain"):
                arrays = packed
            else:
                arrays = extra(signature, packed, width)
            yield _request(signature, arrays)


def _request(signature: str, arrays: dict) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def write_warmup(
    path: Path,
    features: FeatureSet,
    serving: ServingConfig,
    extra: Extra | None = None,
) -> None:
    """Writes the warm-up records into a SavedModel's folder; see `warmup_requests`."""
    file = path / WARMUP_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for request in warmup_requests(features, serving, extra):
            log = prediction_log_pb2.PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString(deterministic=True))
