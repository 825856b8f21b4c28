"""What the Evaluator measured and demanded, in words."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from tfx_pipeline.evaluation import GATE_METRIC, slice_key
from tfx_pipeline.report.words import metric_title

ALL_LISTS = "all"


@dataclass(frozen=True)
class Check:
    """One demand on the model.

    Args:
        metric: TFMA's name of what is compared with the bound.
        value: The value found; None where there was none.
        bound: The bound.
        passed: TFMA's verdict; None where there was nothing to compare with.
        why: The same as a sentence.
    """

    metric: str
    value: float | None
    bound: float
    passed: bool | None
    why: str


@dataclass(frozen=True)
class Measured:
    """A metric of a group of lists, as TFMA measured it; no interval: None."""

    partition: str
    label: str
    metric: str
    value: float
    low: float | None
    high: float | None


def read_measured(evaluation: Path) -> list[Measured]:
    """Every metric in every group of lists, all lists first.

    Args:
        evaluation: The Evaluator's result folder.
    """
    found = []
    for key, outputs in _load(evaluation).slicing_metrics:
        partition, label = key[0] if key else (ALL_LISTS, "all lists")
        partition = str(partition).removeprefix(slice_key(""))
        for metric, value in outputs[""][""].items():
            if numbers := _numbers(value):
                found.append(Measured(partition, str(label), metric, *numbers))
    return sorted(found, key=_place)


def read_checks(evaluation: Path, max_loss_to_blessed: float) -> list[Check]:
    """Every threshold on all lists with TFMA's verdict, and whatever else failed.

    Args:
        evaluation: The Evaluator's result folder.
        max_loss_to_blessed: The gate's bound for the comparison with the last blessed
            model, which TFMA leaves out of its configuration when there is none.
    """
    result = _load(evaluation)
    failures = dict(_failures(tfma.load_validation_result(str(evaluation))))
    values = {
        m.metric: m.value for m in read_measured(evaluation) if m.partition == ALL_LISTS
    }
    checks = []
    for metric, sign, bound in _thresholds(result.config):
        failed = failures.pop((ALL_LISTS, metric), None) is not None
        checks.append(_check(metric, values.get(metric), sign, bound, not failed))
    if not any(spec.is_baseline for spec in result.config.model_specs):
        metric = f"{GATE_METRIC}_diff"
        why = (
            f"no model was blessed before, so {metric_title(GATE_METRIC)} has nothing "
            "to be compared with"
        )
        checks.append(Check(metric, None, -max_loss_to_blessed, None, why))
    for (place, metric), message in failures.items():
        why = f"{metric_title(metric)} on {place}: failed. {message}".strip()
        checks.append(Check(metric, None, float("nan"), False, why))
    return checks


def _place(measured: Measured) -> tuple:
    """All lists first, then by partition, groups by the number they begin with."""
    number = re.match(r"\d+", measured.label)
    is_part = measured.partition != ALL_LISTS
    return is_part, measured.partition, int(number[0]) if number else 0, measured.label


def _load(evaluation: Path):
    result = tfma.load_eval_result(str(evaluation))
    if result.config is None or not result.slicing_metrics:
        raise FileNotFoundError(
            f"{evaluation}: no result of the Evaluator; give its `evaluation` folder"
        )
    return result


def _numbers(value: Mapping) -> tuple[float, float | None, float | None] | None:
    """A metric's value and interval; None for what is no number (plots, messages)."""
    if bounded := value.get("boundedValue"):
        keys = ("value", "lowerBound", "upperBound")
        return tuple(float(bounded[k]) for k in keys)
    if "doubleValue" in value:
        return float(value["doubleValue"]), None, None
    return None


def _thresholds(config: config_pb2.EvalConfig) -> Iterator[tuple[str, str, float]]:
    """(metric, sign, bound) of every threshold that holds for all lists."""
    for metrics_spec in config.metrics_specs:
        for metric in metrics_spec.metrics:
            name = json.loads(metric.config or "{}").get("name", metric.class_name)
            for threshold in _on_all_lists(metric):
                yield from _bounds(name, threshold)


def _on_all_lists(metric: config_pb2.MetricConfig):
    if metric.HasField("threshold"):
        yield metric.threshold
    for per_slice in metric.per_slice_thresholds:
        # An empty specification is the slice of all lists.
        if config_pb2.SlicingSpec() in per_slice.slicing_specs:
            yield per_slice.threshold


def _bounds(name: str, threshold: config_pb2.MetricThreshold):
    of_value, of_change = threshold.value_threshold, threshold.change_threshold
    if of_value.HasField("lower_bound"):
        yield name, ">=", of_value.lower_bound.value
    if of_value.HasField("upper_bound"):
        yield name, "<=", of_value.upper_bound.value
    if of_change.HasField("absolute"):
        falls = of_change.direction == config_pb2.MetricDirection.LOWER_IS_BETTER
        yield f"{name}_diff", "<=" if falls else ">=", of_change.absolute.value


def _check(metric, value, sign: str, bound: float, passed: bool) -> Check:
    found = "was not measured" if value is None else f"is {value:.4f}"
    verdict = "passed" if passed else "failed"
    why = f"{metric_title(metric)} {found}, needs {sign} {bound:.4f}: {verdict}"
    return Check(metric, value, bound, passed, why)


def _failures(validation) -> Iterator[tuple[tuple[str, str], str]]:
    """((group of lists, metric), message) of every threshold that was not met."""
    for of_slice in validation.metric_validations_per_slice:
        keys = of_slice.slice_key.single_slice_keys
        names = [
            f"{k.column.removeprefix(slice_key(''))} {k.bytes_value.decode()}"
            for k in keys
        ]
        for failure in of_slice.failures:
            suffix = "_diff" if failure.metric_key.is_diff else ""
            metric = failure.metric_key.name + suffix
            yield (", ".join(names) or ALL_LISTS, metric), failure.message.strip()
    if validation.missing_thresholds:
        yield (ALL_LISTS, "thresholds"), "No threshold was configured."
    for missing in validation.missing_slices:
        yield (ALL_LISTS, str(missing.feature_keys)), "The slice has no list."
