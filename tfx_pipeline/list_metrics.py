"""TFMA metrics over lists: each example is one list, each list weighs the same.

The mathematics is that of `psad_tf.metrics`; here it is wired into TFMA so that values,
slices, confidence intervals and differences to a baseline model come from one place.
"""

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from psad_tf import metrics

MEASURES = {
    "ndcg": metrics.ndcg,
    "map": metrics.average_precision,
    "map_by_relevant": lambda *args, k: metrics.average_precision(
        *args, k=k, denominator="relevant"
    ),
}


class ListMetric(metric_types.Metric):
    """The mean of a ranking measure over lists.

    Args:
        measure: `ndcg`, `map` (average precision divided by the hits in the top) or
            `map_by_relevant` (divided by min(relevant items, k)).
        top_k: The cut-off k.
        over_initial: Measure the gain over the initial order, in which lists come.
        name: The metric's name.
    """

    def __init__(
        self,
        measure: str = "ndcg",
        top_k: int = 10,
        over_initial: bool = False,
        name: str = "ndcg_at_10",
        **kwargs,
    ):
        if measure not in MEASURES:
            raise ValueError(
                f"measure={measure!r} is unknown; known: {', '.join(MEASURES)}"
            )
        super().__init__(
            _computations,
            measure=measure,
            top_k=top_k,
            over_initial=over_initial,
            name=name,
            **kwargs,
        )


def _computations(
    measure: str,
    top_k: int,
    over_initial: bool,
    name: str,
    eval_config=None,
    model_names=None,
    output_names=None,
    sub_keys=None,
    example_weighted=False,
):
    """One computation a model, keyed by its name so that TFMA can take differences."""
    result = []
    for model in model_names or [""]:
        key = metric_types.MetricKey(
            name, model_name=model, example_weighted=example_weighted
        )
        value = _ListValue(key, measure, top_k, over_initial, eval_config)
        result.append(
            metric_types.MetricComputation(
                keys=[key], preprocessors=[value], combiner=_MeanOverLists(key)
            )
        )
    return result


class _ListValue(metric_types.Preprocessor):
    """A measure of one list: once a list, however many slices and resamples follow."""

    def __init__(self, key, measure, top_k, over_initial, eval_config):
        super().__init__(name=f"{key.name}/{key.model_name}")
        self._key = key
        self._measure = measure
        self._top_k = top_k
        self._over_initial = over_initial
        self._eval_config = eval_config

    def process(self, extracts):
        for labels, scores, _ in metric_util.to_label_prediction_example_weight(
            metric_util.to_standard_metric_inputs(extracts),
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            flatten=False,
            squeeze=False,
        ):
            yield self._value(np.ravel(labels), np.ravel(scores))

    def _value(self, labels: np.ndarray, scores: np.ndarray) -> float:
        """Of one list: as many labels as it has candidates, scores with padding.

        NaN where a score is none, and so is then the mean: the gate has refused the
        model, and a baseline that has become bad must not stop the run.
        """
        labels, scores = labels[None], scores[None, : labels.size]
        if np.isnan(scores).any():
            return float("nan")
        everywhere = np.ones(labels.shape, bool)
        measure = MEASURES[self._measure]
        value = measure(labels, scores, everywhere, k=self._top_k)[0]
        if self._over_initial:
            initial = -np.arange(labels.size, dtype=float)[None]
            value -= measure(labels, initial, everywhere, k=self._top_k)[0]
        return float(value)


class _MeanOverLists(beam.CombineFn):
    """(sum, count) of a measure over lists."""

    def __init__(self, key):
        self._key = key

    def create_accumulator(self):
        return (0.0, 0)

    def add_input(self, accumulator, value):
        total, count = accumulator
        return total + value, count + 1

    def merge_accumulators(self, accumulators):
        totals, counts = zip(*accumulators, strict=True)
        return sum(totals), sum(counts)

    def extract_output(self, accumulator):
        total, count = accumulator
        return {self._key: total / count if count else float("nan")}
