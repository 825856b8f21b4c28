"""A model's configuration from its features, its vocabularies and what was chosen."""

from collections.abc import Callable, Mapping
from typing import Any

from psad_tf.config import PSADConfig
from psad_tf.features import FeatureSet
from psad_tf.id_space import IdSpace, id_space


def model_config(
    features: FeatureSet,
    vocabulary_size: Callable[[str], int],
    choices: Mapping[str, Any],
) -> PSADConfig:
    """The configuration of a model for a data set.

    Args:
        features: The data set's features.
        vocabulary_size: A vocabulary's name to its size.
        choices: `PSADConfig`'s fields, but for the sizes of its inputs. Where they
            say nothing else, ids of every text feature of the user are dropped now and
            then: no list would teach the model an unknown value of a profile otherwise.

    Raises:
        ConfigError: A choice is unknown or out of range.
    """
    sizes = input_sizes(features, vocabulary_size)
    defaults = {"user_id_dropout_fields": text_fields(features.user)}
    return PSADConfig.of({**defaults, **choices, **sizes})


def input_sizes(
    features: FeatureSet, vocabulary_size: Callable[[str], int]
) -> dict[str, Any]:
    """The fields of `PSADConfig` that a data set decides, see `model_config`."""
    return {
        **_of_space("item", id_space(features.item, vocabulary_size)),
        **_of_space("user", id_space(features.user, vocabulary_size)),
        "candidate_dense_size": _numbers(features.of_candidates()),
        "history_dense_size": _numbers(features.of_history()),
        "list_length": features.list_length,
        "history_length": features.history_length,
    }


def _of_space(name: str, space: IdSpace) -> dict[str, Any]:
    return {f"{name}_{k}": v for k, v in vars(space).items()}


def text_fields(features) -> tuple[int, ...]:
    """The embedded features that may have unknown values, by index."""
    embedded = [f for f in features if f.kind.is_id]
    return tuple(i for i, f in enumerate(embedded) if f.kind.is_text)


def _numbers(features) -> int:
    return sum(not f.kind.is_id for f in features)
