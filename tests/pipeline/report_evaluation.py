"""A made-up result of the Evaluator, in TFMA's own files."""

from pathlib import Path

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_model_analysis import version
from tensorflow_model_analysis.proto import (
    config_pb2,
    metrics_for_slice_pb2,
)
from tensorflow_model_analysis.utils.config_util import (
    update_eval_config_with_defaults,
)

from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.evaluation import GAIN_METRIC, GATE_METRIC, eval_config

OVERALL = ()


def write_evaluation(folder: Path, values) -> None:
    """Writes the configuration and the metrics.

    Args:
        folder: Where to.
        values: (slice, metric) to (value, low, high); a slice is a pair of TFMA's key
            and the group, or `OVERALL`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = update_eval_config_with_defaults(
        eval_config(MOVIELENS_100K), has_baseline=False, rubber_stamp=True
    )
    run = config_pb2.EvalRun(eval_config=config, version=version.VERSION)
    (folder / "eval_config.json").write_text(json_format.MessageToJson(run))
    _write(folder / "metrics-00000-of-00001.tfrecord", _metrics(values))


def passing(ndcg: float, gain: float = 0.0231) -> dict:
    """Values of a model that passes the gate."""
    return {
        (OVERALL, GATE_METRIC): (ndcg, ndcg - 0.01, ndcg + 0.01),
        (OVERALL, GAIN_METRIC): (gain, gain - 0.005, gain + 0.005),
    }


def _metrics(values):
    by_slice = {}
    for (group, metric), numbers in values.items():
        message = by_slice.setdefault(group, metrics_for_slice_pb2.MetricsForSlice())
        entry = message.metric_keys_and_values.add()
        entry.key.name = metric
        entry.value.double_value.value, low, high = numbers
        entry.confidence_interval.lower_bound.double_value.value = low
        entry.confidence_interval.upper_bound.double_value.value = high
    for group, message in by_slice.items():
        _set_slice(message.slice_key, group)
    return by_slice.values()


def _set_slice(key, group) -> None:
    if group:
        key.single_slice_keys.add(column=group[0], bytes_value=group[1].encode())


def _write(file: Path, messages) -> None:
    with tf.io.TFRecordWriter(str(file)) as writer:
        for message in messages:
            writer.write(message.SerializeToString())
