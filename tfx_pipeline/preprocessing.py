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
    Feature,
    candidate_name,
    history_name,
)
from tfx_pipeline.preprocessing_ids import ids_of, item_ids, vocabularies_of

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
    m, n = features.list_length, features.history_length
    offered = inputs[candidate_name(features.item[0])]
    candidates = {
        f.name: inputs[candidate_name(f)].values for f in features.of_candidates()
    }
    past = {f.name: inputs[history_name(f)].values for f in features.of_history()}
    newest = _newest(inputs[history_name(features.item[0])], n)
    # Statistics are of what is used. A request gathers columns side by side.
    used = {name: tf.gather(values, newest.values) for name, values in past.items()}
    vocabularies = vocabularies_of(features, inputs, candidates, used)
    offered_scales = _scales(features.of_candidates(), candidates)
    # Items share their scale whether offered or past: that of the candidates.
    past_scales = offered_scales | _scales(features.history, used)
    offered_ids, past_ids = item_ids(features, candidates, past, vocabularies)
    offered_dense = _dense(features.of_candidates(), candidates, offered_scales)
    past_dense = _dense(features.of_history(), past, past_scales)

    def listed_past(items):
        return _listed(tf.gather(items, newest.values), newest, n)

    return {
        REQUEST_ID: inputs[REQUEST_ID],
        tensors.USER_IDS: ids_of(features.user, inputs, vocabularies),
        tensors.CANDIDATE_IDS: _listed(offered_ids, offered, m),
        tensors.CANDIDATE_DENSE: _listed(offered_dense, offered, m),
        tensors.CANDIDATE_IS_VALID: _is_valid(offered, m),
        tensors.HISTORY_IDS: listed_past(past_ids),
        tensors.HISTORY_DENSE: listed_past(past_dense),
        tensors.HISTORY_IS_VALID: _is_valid(newest, n),
        tensors.LABEL: inputs[LABEL].to_tensor(0.0, shape=[None, m]),
    }


def _newest(past: tf.RaggedTensor, length: int) -> tf.RaggedTensor:
    """Where the last items of each history stand among all: only they are used."""
    ends = past.row_limits()
    return tf.ragged.range(tf.maximum(past.row_starts(), ends - length), ends)


def _scales(features: Iterable[Feature], values: dict) -> dict[str, tuple]:
    """Each number's mean and variance over all items, float64.

    Of all numbers at once: Transform walks the data's graph anew for each analyzer, and
    one for each number made most of its work. Lists come in another order each time; in
    float32 the sums, and with them all lists and the model, would change with it.
    """
    names = [feature.name for feature in features if not feature.kind.is_id]
    if not names:
        return {}
    columns = tf.cast(tf.stack([values[name] for name in names], axis=1), tf.float64)
    means = tf.unstack(tft.mean(columns, reduce_instance_dims=False))
    variances = tf.unstack(tft.var(columns, reduce_instance_dims=False))
    return dict(zip(names, zip(means, variances, strict=True), strict=True))


def _dense(features: Iterable[Feature], values: dict, scales: dict) -> tf.Tensor:
    """Standardised numbers of items, [n, features]; 0 is the mean."""
    names = [feature.name for feature in features if not feature.kind.is_id]
    means, variances = (tf.stack(s) for s in zip(*map(scales.get, names), strict=True))
    deviations = tf.cast(tf.sqrt(tf.maximum(variances, 1e-12)), tf.float32)
    columns = tf.stack([values[name] for name in names], axis=1)
    standard = (columns - tf.cast(means, tf.float32)) / deviations
    return tf.clip_by_value(standard, -MAX_DEVIATIONS, MAX_DEVIATIONS)


def _listed(items: tf.Tensor, rows: tf.RaggedTensor, length: int) -> tf.Tensor:
    """Items [n, columns] as lists [batch, length, columns], padded with 0.

    Args:
        items: In the order of the lists.
        rows: Any ragged tensor of these lists.
        length: Of each list.
    """
    shape = [None, length, items.shape[1]]
    return rows.with_values(items).to_tensor(0, shape=shape)


def _is_valid(ragged: tf.RaggedTensor, length: int) -> tf.Tensor:
    """1 where an item stands, 0 on padding; int64 since tf.Example knows no bool."""
    return tf.sequence_mask(ragged.row_lengths(), length, dtype=tf.int64)
