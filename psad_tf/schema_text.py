"""A first version of a data set's raw contract, for its owner to make stricter."""

from collections.abc import Iterator

from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    TIMESTAMP,
    Feature,
    FeatureSet,
    candidate_name,
    history_name,
)

_HEAD = """\
# The raw contract of the lists of {name}: what is in each tf.Example.
represent_variable_length_as_ragged: true
default_environment: "TRAINING"
default_environment: "SERVING"
"""
_ALWAYS = "  presence { min_fraction: 1.0 min_count: 1 }"
_PERHAPS = "  presence { min_fraction: 0.0 }"
_ONE = "  shape {}"
_LABELS = "  float_domain { min: 0 max: 1 }"
_TRAINING_ONLY = '  not_in_environment: "SERVING"'


def schema_text(features: FeatureSet) -> str:
    """The schema that follows from the features alone: names, types, how many values.

    What the values may be is known to the data's owner: domains are not stated.

    Args:
        features: Of the data set.

    Returns:
        A `tensorflow_metadata.v0.Schema` as text.
    """
    return "\n".join([_HEAD.format(name=features.name), *_blocks(features)])


def _blocks(features: FeatureSet) -> Iterator[str]:
    offered = f"  value_count {{ min: 1 max: {features.list_length} }}"
    past = f"  value_count {{ min: 0 max: {features.history_length} }}"
    yield _block(REQUEST_ID, "BYTES", _ALWAYS, _ONE, _TRAINING_ONLY)
    yield _block(TIMESTAMP, "INT", _ALWAYS, _ONE, _TRAINING_ONLY)
    for feature in features.user:
        yield _block(feature.name, _type(feature), _ALWAYS, _ONE)
    for feature in features.of_candidates():
        yield _block(candidate_name(feature), _type(feature), _ALWAYS, offered)
    for feature in features.of_history():
        yield _block(history_name(feature), _type(feature), _PERHAPS, past)
    yield _block(LABEL, "FLOAT", _ALWAYS, offered, _LABELS, _TRAINING_ONLY)
    for feature in features.truth:
        name = candidate_name(feature)
        yield _block(name, _type(feature), _ALWAYS, offered, _TRAINING_ONLY)


def _type(feature: Feature) -> str:
    return "BYTES" if feature.kind.is_text else "FLOAT"


def _block(name: str, kind: str, *rest: str) -> str:
    lines = ["feature {", f'  name: "{name}"', f"  type: {kind}", *rest, "}", ""]
    return "\n".join(lines)
