"""One version of a model, loaded and warmed up.

It is loaded the way TensorFlow Serving does it: the version's graph is restored into a
session of its own, whose `run` leaves Python (and its global lock) for the whole of a
request. What loads here therefore loads there.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from psad_tf.warmup import WARMUP_FILE
from serving import metrics as names
from serving.fault import Fault
from serving.graph_run import GraphRun
from serving.memory import Garbage
from serving.metrics import Metrics
from serving.options import Options
from serving.rows import answer_of_no_rows, check_rows
from serving.signature import read_inputs, select_outputs
from serving.tensors import fill_tensor
from serving.warmup import recorded_requests

DEFAULT_SIGNATURE = "serving_default"
_garbage = Garbage()


@dataclass(frozen=True)
class Running:
    """How versions run.

    Args:
        options: Those of the server.
        metrics: Told how long runs and warm-ups take.
    """

    options: Options
    metrics: Metrics

    @cached_property
    def session_config(self) -> tf.compat.v1.ConfigProto:
        """The threads of a version's session; 0 lets TensorFlow choose.

        Idle ones sleep. Spinning, as they do by default, they take a sixth of the
        processor from the threads that requests are read and answered by.
        """
        both = self.options.tensorflow_session_parallelism
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=both
            or self.options.tensorflow_intra_op_parallelism,
            inter_op_parallelism_threads=both
            or self.options.tensorflow_inter_op_parallelism,
        )
        config.experimental.disable_thread_spinning = True
        return config


class Servable:
    """A loaded version; may be shared among threads.

    Args:
        name: The model's name.
        version: The version's number.
        path: The version's folder: a SavedModel.
        running: How it runs; by default as a server's default options say.

    Raises:
        Fault: The folder does not load, or a warm-up record fails.
    """

    def __init__(
        self, name: str, version: int, path: Path, running: Running | None = None
    ):
        self.name = name
        self.version = version
        self._running = running or Running(Options(), Metrics())
        self._is_warm = False
        _garbage.free()  # here, since no request waits for a thread that loads
        graph = tf.Graph()
        config = self._running.session_config
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                tags = [tf.saved_model.SERVING]
                loaded = tf.compat.v1.saved_model.load(self._session, tags, str(path))
            self._graph = GraphRun(self._session)
            self.signatures = dict(loaded.signature_def)
            if self._running.options.enable_model_warmup:
                self._warm_up(path)
            self._is_warm = True
        except Fault:
            self._session.close()
            raise
        except Exception as error:
            self._session.close()
            raise _load_fault(error) from error

    def close(self) -> None:
        """Frees the memory; nothing may run any more."""
        self._session.close()
        _garbage.is_there = True

    def signature(self, name: str):
        """The `SignatureDef` of a name; the empty name is that of the default one.

        Raises:
            Fault: There is none.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise Fault(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{name}" not found.',
            )
        return self.signatures[name]

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
        signature = self.signature(name)
        options = self._running.options
        feeds = read_inputs(signature, request.inputs)
        check_rows(signature, feeds, options.max_request_rows)
        fetches = select_outputs(signature, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = self.name
        response.model_spec.version.value = self.version
        response.model_spec.signature_name = name
        answer = answer_of_no_rows(signature, feeds, fetches)
        if answer is None:
            answer = self._run(fetches, feeds, remaining)
        as_content = options.enable_serialization_as_tensor_content
        for alias, array in answer.items():
            fill_tensor(response.outputs[alias], array, as_content)
        return response

    def _run(self, fetches, feeds, remaining):
        if remaining is not None and remaining <= 0:
            raise Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        began = time.perf_counter()
        answer = self._graph(fetches, feeds, remaining)
        if not self._is_warm:  # first runs say nothing of those that clients wait for
            return answer
        self._running.metrics.observe(
            names.RUNTIME_LATENCY,
            time.perf_counter() - began,
            model_name=self.name,
            API="predict",
            runtime="TF1",
        )
        return answer

    def _warm_up(self, path):
        """Replays the recorded requests, so that no client waits for first runs."""
        if not (path / WARMUP_FILE).exists():
            return
        began = time.perf_counter()
        rounds = self._running.options.num_request_iterations_for_warmup
        for request in recorded_requests(path / WARMUP_FILE):
            for _ in range(rounds):
                self.predict(request)
        self._running.metrics.observe(
            names.WARMUP_LATENCY,
            time.perf_counter() - began,
            model_path=str(path),
            status="OK",
        )


def _load_fault(error: Exception) -> Fault:
    if isinstance(error, tf.errors.OpError):
        return Fault.from_tensorflow(error)
    return Fault(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")
