"""A made-up result of the Evaluator, in TFMA's own files."""

from pathlib import Path

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_model_analysis import version
from tensorflow_model_analysis.proto import (
    config_pb2,
    metrics_for_slice_pb2,
    validation_result_pb2,
)
from tensorflow_model_analysis.utils.config_util import (
    update_eval_config_with_defaults,
)

from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.config import GateConfig
from tfx_pipeline.evaluation import GAIN_METRIC, GATE_METRIC, eval_config

OVERALL = ()


def write_evaluation(folder: Path, values, failures=(), has_baseline=False) -> None:
    """Writes the configuration, the metrics and the verdict.

    Args:
        folder: Where to.
        values: (slice, metric, is_diff) to (value, low, high); a slice is a pair of
            TFMA's key and the group, or `OVERALL`.
        failures: (slice, metric, is_diff) of the thresholds that were not met.
        has_baseline: Whether a blessed model was compared with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = update_eval_config_with_defaults(
        eval_config(MOVIELENS_100K, GateConfig()),
        has_baseline=has_baseline,
        rubber_stamp=True,
    )
    run = config_pb2.EvalRun(eval_config=config, version=version.VERSION)
    (folder / "eval_config.json").write_text(json_format.MessageToJson(run))
    _write(folder / "metrics-00000-of-00001.tfrecord", _metrics(values, has_baseline))
    _write(folder / "validations.tfrecord", [_verdict(failures)])


def passing(ndcg: float, gain: float = 0.0231) -> dict:
    """Values of a model that passes every threshold."""
    return {
        (OVERALL, GATE_METRIC, False): (ndcg, ndcg - 0.01, ndcg + 0.01),
        (OVERALL, GAIN_METRIC, False): (gain, gain - 0.005, gain + 0.005),
    }


def _metrics(values, has_baseline: bool):
    by_slice = {}
    for (group, metric, is_diff), numbers in values.items():
        message = by_slice.setdefault(group, metrics_for_slice_pb2.MetricsForSlice())
        entry = message.metric_keys_and_values.add()
        entry.key.name, entry.key.is_diff = metric, is_diff
        entry.key.model_name = "candidate" if has_baseline else ""
        entry.value.double_value.value, low, high = numbers
        entry.confidence_interval.lower_bound.double_value.value = low
        entry.confidence_interval.upper_bound.double_value.value = high
    for group, message in by_slice.items():
        _set_slice(message.slice_key, group)
    return by_slice.values()


def _verdict(failures) -> validation_result_pb2.ValidationResult:
    result = validation_result_pb2.ValidationResult(validation_ok=not failures)
    for group, metric, is_diff in failures:
        of_slice = result.metric_validations_per_slice.add()
        _set_slice(of_slice.slice_key, group)
        key = of_slice.failures.add().metric_key
        key.name, key.is_diff = metric, is_diff
    return result


def _set_slice(key, group) -> None:
    if group:
        key.single_slice_keys.add(column=group[0], bytes_value=group[1].encode())


def _write(file: Path, messages) -> None:
    with tf.io.TFRecordWriter(str(file)) as writer:
        for message in messages:
            writer.write(message.SerializeToString())
