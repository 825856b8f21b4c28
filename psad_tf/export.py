"""Writes the served artifact: the transform and the scorer, nothing of the teacher.

Two signatures, one computation: `serving_default` takes serialized tf.Examples,
`rank` takes plain tensors. Both return `scores` [batch, M] (float32) and `order`
[batch, M] (int32, indices of the candidates, best first, -1 past the list's end).
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

from psad_tf import __version__
from psad_tf.export_checks import check_raw
from psad_tf.features import Feature, FeatureSet, candidate_name, history_name
from psad_tf.tensors import CANDIDATE_IS_VALID
from psad_tf.training import model_inputs
from psad_tf.warmup import write_warmup

EXAMPLES = "examples"


def export_scorer(
    scorer: keras.layers.Layer,
    transform,
    raw_spec: dict,
    features: FeatureSet,
    path: Path,
    metadata: dict | None = None,
) -> None:
    """Writes a SavedModel that ranks lists.

    Args:
        scorer: The student; called on the dict of input tensors it returns scores
            [batch, M].
        transform: The fitted transform as a layer: raw features to input tensors.
        raw_spec: How a serving example is parsed: raw name to feature specification.
        features: The data set's features.
        path: The folder to write, not there yet.
        metadata: Kept in `assets.extra/psad.json`, for people and for reports.
    """

    def ranked(raw):
        checks = check_raw(raw, features)
        with tf.control_dependencies(checks):
            raw = {k: _identity(v) for k, v in raw.items()}
        inputs = model_inputs(transform(raw))
        return _outputs(scorer(inputs, training=False), inputs[CANDIDATE_IS_VALID])

    archive = keras.export.ExportArchive()
    archive.track(scorer)
    archive.track(transform)
    archive.add_endpoint(
        "serving_default",
        lambda examples: ranked(tf.io.parse_example(examples, raw_spec)),
        input_signature=[tf.TensorSpec([None], tf.string, name=EXAMPLES)],
    )

    def rank(
        user_text,
        user_values,
        candidate_text,
        candidate_values,
        candidate_count,
        history_text,
        history_values,
        history_count,
    ):
        raw = _unpack(features.user, lambda f: f.name, user_text, user_values)
        raw |= _unpack(
            features.of_candidates(),
            candidate_name,
            candidate_text,
            candidate_values,
            candidate_count,
        )
        raw |= _unpack(
            features.of_history(),
            history_name,
            history_text,
            history_values,
            history_count,
        )
        return ranked(raw)

    archive.add_endpoint("rank", rank, input_signature=rank_signature(features))
    archive.write_out(str(path), verbose=False)
    write_warmup(path, features)
    described = {"version": __version__, "dataset": features.name, **(metadata or {})}
    (path / "assets.extra" / "psad.json").write_text(json.dumps(described, indent=1))


def rank_signature(features: FeatureSet) -> list[tf.TensorSpec]:
    """The inputs of `rank`: text and numbers of each place packed in one tensor."""
    places = {
        "user": (features.user, []),
        "candidate": (features.of_candidates(), [None]),
        "history": (features.of_history(), [None]),
    }
    specs = []
    for place, (members, length) in places.items():
        text = sum(f.kind.is_text for f in members)
        shapes = {
            "text": (text, tf.string),
            "values": (len(members) - text, tf.float32),
        }
        for suffix, (columns, dtype) in shapes.items():
            shape = [None, *length, columns]
            specs.append(tf.TensorSpec(shape, dtype, name=f"{place}_{suffix}"))
        if length:
            specs.append(tf.TensorSpec([None], tf.int32, name=f"{place}_count"))
    return specs


def _unpack(members: tuple[Feature, ...], name, text, values, count=None) -> dict:
    """Packed columns to raw features, ragged by `count` where the place is a list."""
    raw, columns = {}, {True: 0, False: 0}
    for feature in members:
        packed = text if feature.kind.is_text else values
        column = packed[..., columns[feature.kind.is_text]]
        columns[feature.kind.is_text] += 1
        if count is not None:
            lengths = tf.cast(count, tf.int64)
            column = tf.RaggedTensor.from_tensor(column, lengths=lengths)
        raw[name(feature)] = column
    return raw


def _identity(value):
    if isinstance(value, tf.RaggedTensor):
        return value.with_flat_values(tf.identity(value.flat_values))
    return tf.identity(value)


def _outputs(scores: tf.Tensor, is_valid: tf.Tensor) -> dict[str, tf.Tensor]:
    """Scores, and the order they give; ties keep the initial order."""
    scores = tf.cast(scores, tf.float32)
    scores = tf.where(is_valid, scores, scores.dtype.min / 2)
    order = tf.argsort(scores, direction="DESCENDING", stable=True)
    stands = tf.gather(is_valid, order, batch_dims=1)
    return {"scores": scores, "order": tf.where(stands, order, -1)}
