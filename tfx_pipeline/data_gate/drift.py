"""Schema anomalies, drift and skew, by TFDV's comparators.

The stock ExampleValidator is never given the statistics of another run, so that
comparators in a schema are not evaluated there; here they are, on a copy of the schema.
"""

from collections.abc import Mapping
from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from psad_tf.features import FeatureSet
from tfx_pipeline.data_gate.config import SEVERITIES
from tfx_pipeline.data_gate.found import Anomaly

STATISTICS_FILE = "FeatureStats.pb"
ENVIRONMENT = "TRAINING"


def load_statistics(folder: Path, split: str):
    """A split's statistics, as StatisticsGen wrote them; None where there are none."""
    file = Path(folder, f"Split-{split}", STATISTICS_FILE)
    return tfdv.load_stats_binary(str(file)) if file.is_file() else None


def schema_anomalies(
    statistics: Mapping[str, object], schema: schema_pb2.Schema
) -> list[Anomaly]:
    """All that the schema does not allow.

    Args:
        statistics: Of each split, by name.
        schema: The schema.
    """
    rows = []
    for split, found in statistics.items():
        result = tfdv.validate_statistics(found, schema, environment=ENVIRONMENT)
        named = sorted(result.anomaly_info.items())
        if result.HasField("dataset_anomaly_info"):
            named.append(("", result.dataset_anomaly_info))
        rows += [_anomaly(split, name, info) for name, info in named]
    return rows


def _anomaly(split: str, feature: str, info) -> Anomaly:
    name = anomalies_pb2.AnomalyInfo.Severity.Name(info.severity)
    # What has no severity is not known to be harmless.
    severity = name if name in SEVERITIES else SEVERITIES[-1]
    return Anomaly(split, feature, severity, info.description or info.short_description)


def text_features(features: FeatureSet) -> set[str]:
    """The raw names of features of text."""
    return {name for name, feature in features.raw() if feature.kind.is_text}


def distances(
    now, other, schema: schema_pb2.Schema, features: FeatureSet
) -> dict[str, float]:
    """How far each feature's values are from those of other lists.

    Args:
        now: Statistics of the lists.
        other: Statistics of the lists they are compared with.
        schema: The schema; stays as it is.
        features: The data set's.

    Returns:
        Raw name to the largest difference of one value's share (text), or to the
        Jensen-Shannon divergence (numbers); features without values are left out.
    """
    compared = schema_pb2.Schema()
    compared.CopyFrom(schema)
    texts, names = text_features(features), {name for name, _ in features.raw()}
    for feature in compared.feature:
        if feature.name in texts:
            feature.drift_comparator.infinity_norm.threshold = 1.0
        elif feature.name in names:
            feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
    result = tfdv.validate_statistics(
        now, compared, environment=ENVIRONMENT, previous_statistics=other
    )
    return {
        ".".join(info.path.step): measured.value
        for info in result.drift_skew_info
        for measured in info.drift_measurements
    }
