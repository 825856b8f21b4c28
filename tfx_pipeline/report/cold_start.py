"""NDCG@10 where a list says something of which the training lists said nothing."""

from collections.abc import Mapping

from psad_tf.cold_start import Vocabulary, cold_start_slices
from psad_tf.features import FeatureSet
from tfx_pipeline.report.groups import cold_start_groups
from tfx_pipeline.report.results import (
    HEADLINE,
    RESAMPLES,
    Comparison,
    TestResults,
    compare,
)


def measure_cold_start(
    results: TestResults,
    features: FeatureSet,
    known: Mapping[str, Vocabulary],
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """NDCG@10 in each group of each partition of `psad_tf.cold_start`.

    Args:
        results: The test lists, measured.
        features: The data set's features.
        known: What the model knows.
        resamples: Of each bootstrap over lists.
    """
    values = results.values[HEADLINE]
    return [
        compare(values, chosen, partition.name, label, resamples)
        for partition in cold_start_slices(features)
        for label, chosen in cold_start_groups(
            results.lists, features, partition, known
        ).items()
    ]
