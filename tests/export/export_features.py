"""A feature set that says how long a small model's lists are."""

from psad_tf.config import PSADConfig
from psad_tf.features import FeatureSet


def features_of(config: PSADConfig) -> FeatureSet:
    """Of a model that is made of a configuration alone."""
    return FeatureSet(
        name="small",
        user=(),
        item=(),
        candidate=(),
        history=(),
        list_length=config.list_length,
        history_length=config.history_length,
    )
