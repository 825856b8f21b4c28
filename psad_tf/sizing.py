"""A model's configuration from its features, its vocabularies and what was chosen."""

from collections.abc import Callable, Mapping
from typing import Any

from psad_tf.config import PSADConfig
from psad_tf.features import FeatureSet
from psad_tf.id_space import id_space


def model_config(
    features: FeatureSet,
    vocabulary_size: Callable[[str], int],
    choices: Mapping[str, Any],
) -> PSADConfig:
    """The configuration of a model for a data set.

    Args:
        features: The data set's features.
        vocabulary_size: A vocabulary's name to its size.
        choices: `PSADConfig`'s fields, but for the sizes of its inputs.

    Raises:
        ConfigError: A choice is unknown or out of range.
    """
    item = id_space(features.item, vocabulary_size)
    user = id_space(features.user, vocabulary_size)
    sizes = {
        "item_rows": item.rows,
        "item_widths": item.widths,
        "item_unknown_ids": item.unknown_ids,
        "user_rows": user.rows,
        "user_widths": user.widths,
        "user_unknown_ids": user.unknown_ids,
        "candidate_dense_size": _numbers(features.of_candidates()),
        "history_dense_size": _numbers(features.of_history()),
        "list_length": features.list_length,
        "history_length": features.history_length,
    }
    return PSADConfig.of({**choices, **sizes})


def _numbers(features) -> int:
    return sum(not f.kind.is_id for f in features)
