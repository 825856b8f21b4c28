"""How long an exported model takes, by how many requests wait for it at once.

The graph alone is measured, in a session as a model server keeps it, which is called
as a server calls it: no network and no server around it.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from psad_tf.errors import InputError
from psad_tf.export_report import REPORT_FILE
from psad_tf.warmup import WARMUP_FILE
from serving.fault import Fault
from serving.graph_run import load_graph

ROUNDS = 3


@dataclass(frozen=True)
class Latency:
    """One model with so many requests in flight.

    Args:
        model: Its folder.
        serving: How it runs a request, from its export report.
        in_flight: Threads that send a request of one list as soon as the last one is
            answered.
        lists_per_second: Answered, the median of the rounds.
        p50, p99: Milliseconds of an answered request, over all rounds.
        answered: How many requests.
        shed: Requests refused because the queue was full.
    """

    model: str
    serving: dict
    in_flight: int
    lists_per_second: float
    p50: float
    p99: float
    answered: int
    shed: int


class Loaded:
    """An exported model in a session, warmed up by its own records.

    Args:
        path: Its folder.
        signature: Which one `ask` asks.

    Raises:
        InputError: The model has no such signature, or no warm-up record of one list
            for it.
    """

    def __init__(self, path: Path, signature: str):
        self._run, self._signatures = load_graph(path)
        if signature not in self._signatures:
            raise InputError(
                f"--signature={signature}: {path} has {sorted(self._signatures)}"
            )
        self._request = None
        for record in tf.data.TFRecordDataset(str(path / WARMUP_FILE)):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            self._warm_up(log.predict_log.request, signature)
        if self._request is None:
            raise InputError(
                f"{path}: no warm-up record asks {signature} about one list; export it "
                "with 1 among batch_sizes"
            )

    def ask(self) -> None:
        """Has the fullest list scored."""
        self._run(*self._request)

    def _warm_up(self, request, wanted):
        name = request.model_spec.signature_name
        signature = self._signatures[name]
        feeds = {
            signature.inputs[k].name: tf.make_ndarray(v)
            for k, v in request.inputs.items()
        }
        fetches = {k: signature.outputs[k].name for k in ("scores", "order")}
        answer = self._run(fetches, feeds)
        # The fullest lists come first.
        if name == wanted and len(answer["scores"]) == 1 and self._request is None:
            self._request = fetches, feeds


def measure(
    models: Sequence[Path], in_flight: Sequence[int], seconds: float, signature: str
) -> list[Latency]:
    """Measures models in turns, so that a slow minute of the machine meets them all.

    Args:
        models: Their folders.
        in_flight: How many requests at a time.
        seconds: Of each measurement; there are `ROUNDS` of each.
        signature: The one that is asked.
    """
    loaded = {path: Loaded(path, signature) for path in models}
    rounds = {(path, n): [] for n in in_flight for path in models}
    for _ in range(ROUNDS):
        for (path, n), found in rounds.items():
            found.append(hold(loaded[path].ask, n, seconds))
    return [_summary(path, n, found) for (path, n), found in rounds.items()]


def hold(ask, in_flight: int, seconds: float) -> tuple[list[float], int, float]:
    """Keeps so many requests in flight.

    Args:
        ask: Sends a request and waits for its answer.
        in_flight: How many threads do so.
        seconds: How long they begin new ones.

    Returns:
        The seconds each answered request took, how many were refused because the queue
        was full, and the seconds it all took.
    """
    took, shed, failed = [], [], []
    begin = time.perf_counter()

    def work():
        while (start := time.perf_counter()) < begin + seconds and not failed:
            try:
                ask()
                took.append(time.perf_counter() - start)
            except Exception as error:
                code = error.code if isinstance(error, Fault) else None
                is_full = code is grpc.StatusCode.UNAVAILABLE
                (shed if is_full else failed).append(error)

    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took, len(shed), time.perf_counter() - begin


def _summary(path: Path, in_flight: int, rounds) -> Latency:
    milliseconds = np.concatenate([took for took, _, _ in rounds]) * 1000
    if not len(milliseconds):
        raise InputError(f"{path}: no request was answered; give more --seconds")
    report = path / REPORT_FILE
    p50, p99 = np.percentile(milliseconds, (50, 99))
    return Latency(
        model=str(path),
        serving=json.loads(report.read_text())["serving"] if report.is_file() else {},
        in_flight=in_flight,
        lists_per_second=float(np.median([len(x) / s for x, _, s in rounds])),
        p50=float(p50),
        p99=float(p99),
        answered=len(milliseconds),
        shed=sum(shed for _, shed, _ in rounds),
    )
