"""Transform: raw ragged features to the model's dense tensors, padding born here once.

The same graph is exported inside the served model, so training and serving cannot
differ. Statistics and vocabularies come from the training lists alone.
"""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from psad_tf import tensors
from psad_tf.feature_sets import feature_set
from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    VALUE_SEPARATOR,
    Feature,
    FeatureSet,
    Kind,
    candidate_name,
    history_name,
)
from psad_tf.id_space import id_space, vocabulary_name

# Standardised numbers beyond this many standard deviations are cut, so that one absurd
# value in a request cannot dominate its list.
MAX_DEVIATIONS = 8.0


def preprocessing_fn(
    inputs: dict[str, Any], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Maps raw features to the tensors named in `psad_tf.tensors`.

    Args:
        inputs: Raw name to tensor [batch] (user) or ragged tensor [batch, (list)].
        custom_config: `dataset` names the feature set.

    Returns:
        The tensors of `psad_tf.tensors`, and the request's id, passed through.
    """
    features = feature_set(custom_config["dataset"])
    candidates = {f.name: inputs[candidate_name(f)] for f in features.of_candidates()}
    # Only the last part of a longer history is used.
    history = {
        f.name: inputs[history_name(f)][:, -features.history_length :]
        for f in features.of_history()
    }
    vocabularies = _vocabularies(features, inputs, candidates, history)
    m, n = features.list_length, features.history_length
    first = candidates[features.item[0].name]
    past = history[features.item[0].name]
    # Items share their scale whether offered or past: that of the candidates.
    scales = {f.name: candidates[f.name] for f in features.item}
    return {
        REQUEST_ID: inputs[REQUEST_ID],
        tensors.USER_IDS: _user_ids(features, inputs, vocabularies),
        tensors.CANDIDATE_IDS: _item_ids(features, candidates, m, vocabularies),
        tensors.CANDIDATE_DENSE: _dense(
            features.of_candidates(), candidates, candidates, m
        ),
        tensors.CANDIDATE_IS_VALID: _is_valid(first, m),
        tensors.HISTORY_IDS: _item_ids(features, history, n, vocabularies),
        tensors.HISTORY_DENSE: _dense(
            features.of_history(), history, {**history, **scales}, n
        ),
        tensors.HISTORY_IS_VALID: _is_valid(past, n),
        tensors.LABEL: inputs[LABEL].to_tensor(0.0, shape=[None, m]),
    }


def _vocabularies(features: FeatureSet, inputs, candidates, history) -> dict:
    """Computes every text feature's vocabulary; items' from both places they stand."""
    values = {f.name: inputs[f.name] for f in features.user if f.kind.is_text}
    for feature in features.item:
        if feature.kind.is_text:
            places = candidates[feature.name].values, history[feature.name].values
            values[feature.name] = tf.concat(places, axis=0)
    return {
        feature.name: tft.vocabulary(
            _split(feature, values[feature.name]).values,
            frequency_threshold=feature.min_count,
            vocab_filename=vocabulary_name(feature),
        )
        for feature in features.user + features.item
        if feature.kind.is_text
    }


def _split(feature: Feature, values: tf.Tensor) -> tf.RaggedTensor:
    """Text values [n] to their parts [n, (parts)]."""
    if feature.kind is Kind.MULTIVALENT:
        return tf.strings.split(values, VALUE_SEPARATOR)
    return tf.RaggedTensor.from_row_lengths(values, tf.ones_like(values, tf.int64))


def _ids(feature: Feature, values: tf.Tensor, unknown_id, vocabularies) -> tf.Tensor:
    """Raw values [n] to ids [n, feature.max_values], padded with 0."""
    if feature.kind is Kind.BUCKETIZED:
        bucket = tf.searchsorted(
            tf.constant(feature.boundaries, values.dtype), values, side="right"
        )
        return (unknown_id + 1 + tf.cast(bucket, tf.int64))[:, tf.newaxis]
    parts = _split(feature, values)
    ids = _text_ids(feature, parts.values, unknown_id, vocabularies[feature.name])
    return parts.with_values(ids).to_tensor(0, shape=[None, feature.max_values])


def _text_ids(feature: Feature, values, unknown_id, vocabulary) -> tf.Tensor:
    """Text values [n] to ids [n]: by vocabulary, else by hash, else the unknown one."""
    index = tft.apply_vocabulary(values, vocabulary)
    default = tf.zeros_like(index) + unknown_id
    if feature.hash_buckets:
        hashed = unknown_id + 1 + tft.hash_strings(values, feature.hash_buckets)
        # No value at all is nothing to hash.
        default = tf.where(tf.equal(values, ""), default, hashed)
    known = unknown_id + 1 + feature.hash_buckets + index
    return tf.where(index < 0, default, known)


def _space(features: Iterable[Feature]):
    return id_space(features, tft.experimental.get_vocabulary_size_by_name)


def _user_ids(features: FeatureSet, inputs, vocabularies) -> tf.Tensor:
    space = _space(features.user)
    columns = [
        _ids(feature, inputs[feature.name], unknown_id, vocabularies)
        for feature, unknown_id in zip(features.user, space.unknown_ids, strict=True)
    ]
    return tf.concat(columns, axis=1)


def _item_ids(
    features: FeatureSet, values: dict[str, Any], length: int, vocabularies
) -> tf.Tensor:
    """Ids of all embedded item features, [batch, length, columns], padded with 0."""
    space = _space(features.item)
    embedded = [f for f in features.item if f.kind.is_id]
    columns = []
    for feature, unknown_id in zip(embedded, space.unknown_ids, strict=True):
        ragged = values[feature.name]
        ids = _ids(feature, ragged.values, unknown_id, vocabularies)
        ids = ragged.with_values(ids)
        columns.append(ids.to_tensor(0, shape=[None, length, feature.max_values]))
    return tf.concat(columns, axis=2)


def _dense(
    features: Iterable[Feature], values: dict, scales: dict, length: int
) -> tf.Tensor:
    """Standardised numbers [batch, length, features]; padding is 0, the mean."""
    columns = []
    for feature in features:
        if feature.kind.is_id:
            continue
        scale = scales[feature.name].values
        deviation = tf.sqrt(tf.maximum(tft.var(scale), 1e-12))
        ragged = values[feature.name]
        standard = (ragged.values - tft.mean(scale)) / deviation
        standard = tf.clip_by_value(standard, -MAX_DEVIATIONS, MAX_DEVIATIONS)
        columns.append(
            ragged.with_values(standard).to_tensor(0.0, shape=[None, length])
        )
    return tf.stack(columns, axis=2)


def _is_valid(ragged: tf.RaggedTensor, length: int) -> tf.Tensor:
    """1 where an item stands, 0 on padding; int64 since tf.Example knows no bool."""
    return tf.sequence_mask(ragged.row_lengths(), length, dtype=tf.int64)
