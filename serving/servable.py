"""One version of a model, loaded and warmed up.

It is loaded the way TensorFlow Serving does it: the version's graph is restored into a
session of its own, whose `run` leaves Python (and its global lock) for the whole of a
request. What loads here therefore loads there.
"""

from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.fault import Fault, invalid
from serving.signature import read_inputs, select_outputs
from serving.tensors import fill_tensor

WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
MAX_WARMUP_RECORDS = 1000
DEFAULT_SIGNATURE = "serving_default"


class Servable:
    """A loaded version; may be shared among threads.

    Args:
        name: The model's name.
        version: The version's number.
        path: The version's folder: a SavedModel.

    Raises:
        Fault: The folder does not load, or a warm-up record fails.
    """

    def __init__(self, name: str, version: int, path: Path):
        self.name = name
        self.version = version
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        try:
            with graph.as_default():
                tags = [tf.saved_model.SERVING]
                loaded = tf.compat.v1.saved_model.load(self._session, tags, str(path))
            graph.finalize()
            self.signatures = dict(loaded.signature_def)
            self._warm_up(path / WARMUP_FILE)
        except Fault:
            self._session.close()
            raise
        except Exception as error:
            self._session.close()
            raise _load_fault(error) from error

    def close(self) -> None:
        """Frees the memory; nothing may run any more."""
        self._session.close()

    def predict(
        self, request: predict_pb2.PredictRequest, remaining: float | None = None
    ) -> predict_pb2.PredictResponse:
        """Answers a request.

        Args:
            request: Names a signature (or none, for the default) and its inputs.
            remaining: Seconds until the client's deadline; None when it has none.

        Raises:
            Fault: The request does not fit the signature, or running it fails.
        """
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise Fault(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{name}" not found.',
            )
        signature = self.signatures[name]
        feeds = read_inputs(signature, request.inputs)
        fetches = select_outputs(signature, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = self.name
        response.model_spec.version.value = self.version
        response.model_spec.signature_name = name
        for alias, array in self._run(fetches, feeds, remaining).items():
            fill_tensor(response.outputs[alias], array, as_content=False)
        return response

    def _run(self, fetches, feeds, remaining):
        options = None
        if remaining is not None:
            if remaining <= 0:
                raise Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            milliseconds = max(1, int(remaining * 1000))
            options = tf.compat.v1.RunOptions(timeout_in_ms=milliseconds)
        try:
            return self._session.run(fetches, feeds, options=options)
        except tf.errors.OpError as error:
            raise Fault.from_tensorflow(error) from error
        except UnicodeDecodeError as error:
            # TensorFlow fails to report a message that quotes bytes of the request.
            message = error.object.decode(errors="backslashreplace")
            raise invalid(message) from error
        except ValueError as error:  # a shape that the signature rules out
            raise invalid(str(error)) from error

    def _warm_up(self, path):
        """Replays the recorded requests, so that no client waits for first runs."""
        if not path.exists():
            return
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
            self.predict(log.predict_log.request)


def _load_fault(error: Exception) -> Fault:
    if isinstance(error, tf.errors.OpError):
        return Fault.from_tensorflow(error)
    return Fault(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")
