"""The requests that a version carries along, to be replayed before it is served."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.fault import Fault, invalid

MAX_WARMUP_RECORDS = 1000


def recorded_requests(path: Path) -> Iterator[predict_pb2.PredictRequest]:
    """The Predict requests of a TFRecord file of `PredictionLog`s.

    Raises:
        Fault: There are too many of them, or one is of another kind.
    """
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    for count, record in enumerate(records, start=1):
        if count > MAX_WARMUP_RECORDS:
            raise invalid(
                "Number of warmup records exceeds the maximum "
                f"({MAX_WARMUP_RECORDS}) at {path}"
            )
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise Fault(
                grpc.StatusCode.UNIMPLEMENTED,
                f"Warm-up record {count} is {kind}; only predict_log is replayed",
            )
        yield log.predict_log.request
