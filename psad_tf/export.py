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
from psad_tf.data.packing import packed_columns
from psad_tf.export_checks import check_count, check_raw
from psad_tf.features import FeatureSet
from psad_tf.tensors import CANDIDATE_IS_VALID
from psad_tf.training_data import model_inputs
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
    # For its vocabularies. The scorer's weights are found through the endpoints;
    # tracking the scorer as well would store each of them twice.
    archive.track(transform)
    archive.add_endpoint(
        "serving_default",
        lambda examples: ranked(tf.io.parse_example(examples, raw_spec)),
        input_signature=[tf.TensorSpec([None], tf.string, name=EXAMPLES)],
    )

    specs = rank_signature(features)

    def rank(*packed):
        names = [spec.name for spec in specs]
        return ranked(_unpack(dict(zip(names, packed, strict=True)), features))

    archive.add_endpoint("rank", rank, input_signature=specs)
    archive.write_out(str(path), verbose=False)
    write_warmup(path, features)
    described = {"version": __version__, "dataset": features.name, **(metadata or {})}
    (path / "assets.extra" / "psad.json").write_text(json.dumps(described, indent=1))


def rank_signature(features: FeatureSet) -> list[tf.TensorSpec]:
    """The inputs of `rank`: text and numbers of each place packed in one tensor."""
    specs = []
    for name, columns in packed_columns(features).items():
        place, suffix = name.split("_")
        batch = [None] if place == "user" else [None, None]
        dtype = tf.string if suffix == "text" else tf.float32
        specs.append(tf.TensorSpec([*batch, len(columns)], dtype, name))
    counts = ("candidate_count", "history_count")
    return [*specs, *(tf.TensorSpec([None], tf.int32, name) for name in counts)]


def _unpack(packed: dict[str, tf.Tensor], features: FeatureSet) -> dict:
    """Packed columns to raw features, ragged by the count where the place is a list."""
    raw = {}
    for name, columns in packed_columns(features).items():
        place, _ = name.split("_")
        values = dict(
            zip(columns, tf.unstack(packed[name], len(columns), -1), strict=True)
        )
        if place != "user":
            count = f"{place}_count"
            lengths = check_count(count, packed[count], name, packed[name])
            values = {
                raw_name: tf.RaggedTensor.from_tensor(column, lengths=lengths)
                for raw_name, column in values.items()
            }
        raw |= values
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
