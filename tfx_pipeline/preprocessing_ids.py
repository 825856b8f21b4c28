"""Raw values to ids, in the Transform graph: by vocabulary, by bucket, by hash."""

from collections.abc import Iterable
from itertools import groupby

import tensorflow as tf
import tensorflow_transform as tft

from psad_tf.features import VALUE_SEPARATOR, Feature, FeatureSet, Kind
from psad_tf.id_space import id_space, vocabulary_name


def vocabularies_of(features: FeatureSet, inputs, candidates, history) -> dict:
    """Computes every text feature's vocabulary; items' from both places they stand.

    Args:
        features: The data set's.
        inputs: Raw values of users by name.
        candidates: Raw values `[n]` of candidates by name.
        history: The same of past items.

    Returns:
        Each vocabulary by its feature's name.
    """
    values = {f.name: inputs[f.name] for f in features.user if f.kind.is_text}
    for feature in features.item:
        if feature.kind.is_text:
            places = candidates[feature.name], history[feature.name]
            values[feature.name] = tf.concat(places, axis=0)
    return {
        feature.name: tft.vocabulary(
            _parts(feature, values[feature.name]),
            frequency_threshold=feature.min_count,
            vocab_filename=vocabulary_name(feature),
        )
        for feature in features.user + features.item
        if feature.kind.is_text
    }


def _parts(feature: Feature, values: tf.Tensor) -> tf.Tensor:
    """Text values [n] as the texts that have ids [parts]."""
    if feature.kind is Kind.MULTIVALENT:
        return tf.strings.split(values, VALUE_SEPARATOR).values
    return values


def item_ids(features: FeatureSet, candidates: dict, past: dict, vocabularies):
    """Ids of all embedded item features, `[n, columns]` each, of both places.

    The two are looked up together: the number of operations is what a request costs.
    """
    both = {
        f.name: tf.concat([candidates[f.name], past[f.name]], axis=0)
        for f in features.item
        if f.kind.is_id
    }
    sizes = [tf.size(values[features.item[0].name]) for values in (candidates, past)]
    return tf.split(ids_of(features.item, both, vocabularies), sizes)


def ids_of(features: Iterable[Feature], values: dict, vocabularies) -> tf.Tensor:
    """Ids of all embedded ones of some features, `[n, columns]`.

    Args:
        features: Of a user, or of an item, in their order.
        values: Raw values `[n]` by name.
        vocabularies: From `vocabularies_of`.
    """
    space = id_space(features, tft.experimental.get_vocabulary_size_by_name)
    embedded = [f for f in features if f.kind.is_id]
    return columns_of(
        zip(embedded, space.unknown_ids, strict=True), values, vocabularies
    )


def columns_of(pairs: Iterable, values: dict, vocabularies) -> tf.Tensor:
    """Ids of features, each with its id for unknown values: `[n, columns]`."""
    columns = []
    for (kind, _), group in groupby(pairs, lambda pair: _way(pair[0])):
        if kind is Kind.CATEGORICAL:
            columns.append(_categorical_ids([*group], values, vocabularies))
        else:
            columns += [
                _ids(feature, values[feature.name], unknown_id, vocabularies)
                for feature, unknown_id in group
            ]
    return tf.concat(columns, axis=1)


def _way(feature: Feature) -> tuple[Kind, bool]:
    """What features must share so that their ids are made at once."""
    return feature.kind, feature.hash_buckets > 0


def _categorical_ids(pairs: list, values: dict, vocabularies) -> tf.Tensor:
    """Texts of several features, one each, to ids `[n, features]`, all at once."""
    index = tf.stack(
        [tft.apply_vocabulary(values[f.name], vocabularies[f.name]) for f, _ in pairs],
        axis=1,
    )
    # Each a number, or each a vector: then they are columns.
    default = tf.stack([_default_ids(f, values[f.name], x) for f, x in pairs], axis=-1)
    known = tf.stack([_first_known_id(*pair) for pair in pairs])
    return tf.where(index < 0, default, index + known)


def _first_known_id(feature: Feature, unknown_id) -> tf.Tensor:
    return tf.cast(unknown_id + 1 + feature.hash_buckets, tf.int64)


def _default_ids(feature: Feature, values, unknown_id) -> tf.Tensor:
    """Ids of texts that no vocabulary has: by hash `[n]`, else the unknown one."""
    unknown_id = tf.cast(unknown_id, tf.int64)
    if not feature.hash_buckets:
        return unknown_id
    hashed = unknown_id + 1 + tft.hash_strings(values, feature.hash_buckets)
    # No value at all is nothing to hash.
    return tf.where(tf.equal(values, ""), unknown_id, hashed)


def _ids(feature: Feature, values: tf.Tensor, unknown_id, vocabularies) -> tf.Tensor:
    """Raw values [n] to ids [n, feature.max_values], padded with 0."""
    if feature.kind is Kind.BUCKETIZED:
        bucket = tf.searchsorted(
            tf.constant(feature.boundaries, values.dtype), values, side="right"
        )
        return (unknown_id + 1 + tf.cast(bucket, tf.int64))[:, tf.newaxis]
    parts = tf.strings.split(values, VALUE_SEPARATOR)
    index = tft.apply_vocabulary(parts.values, vocabularies[feature.name])
    default = _default_ids(feature, parts.values, unknown_id)
    known = _first_known_id(feature, unknown_id) + index
    ids = parts.with_values(tf.where(index < 0, default, known))
    return ids.to_tensor(0, shape=[None, feature.max_values])
