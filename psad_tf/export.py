"""Writes the served artifact: the transform and the scorer, nothing of the teacher.

Two signatures, one computation: `serving_default` takes serialized tf.Examples,
`rank` takes plain tensors. Both return `scores` [batch, M] (float32) and `order`
[batch, M] (int32, indices of the candidates, best first, -1 past the list's end).
Where the two are compiled by XLA, `rank_plain` is `rank` without.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import keras
import tensorflow as tf

from psad_tf import __version__
from psad_tf.data.packing import packed_columns
from psad_tf.export_checks import check_count, check_raw
from psad_tf.export_core import ServedScorer
from psad_tf.export_report import compare, write_report
from psad_tf.features import FeatureSet
from psad_tf.serving_config import ServingConfig
from psad_tf.tensors import CANDIDATE_IS_VALID
from psad_tf.training_data import model_inputs
from psad_tf.warmup import write_warmup

EXAMPLES = "examples"


def export_scorer(
    scorer: keras.Model,
    transform,
    raw_spec: dict,
    features: FeatureSet,
    path: Path,
    metadata: dict | None = None,
    serving: ServingConfig | None = None,
    validation: Iterable | None = None,
) -> None:
    """Writes a SavedModel that ranks lists, and `assets.extra/export_report.json`.

    Args:
        scorer: The student; called on the dict of input tensors it returns scores
            [batch, M].
        transform: The fitted transform as a layer: raw features to input tensors.
        raw_spec: How a serving example is parsed: raw name to feature specification.
        features: The data set's features.
        path: The folder to write, not there yet.
        metadata: Kept in `assets.extra/psad.json`, for people and for reports.
        serving: How the graph runs a request; None for the defaults.
        validation: Batches of `(input tensors, labels)`, on which the exported scorer
            is compared with the one given. Reduced precision needs them.

    Raises:
        ConfigError: The configuration does not fit the model, or reduced precision
            costs more NDCG@10 than it allows; nothing is written then.
    """
    serving = serving or ServingConfig()
    served = ServedScorer(scorer, features, serving)
    compared = compare(served, validation)
    archive = keras.export.ExportArchive()
    # For its vocabularies. The scorer's weights are found through the endpoints;
    # tracking the scorer as well would store each of them twice.
    archive.track(transform)
    for name in serving.signatures():
        specs, endpoint = _endpoint(name, raw_spec, features, transform, served)
        archive.add_endpoint(name, endpoint, input_signature=specs)
    archive.write_out(str(path), verbose=False)
    write_warmup(path, features, serving)
    described = {"version": __version__, "dataset": features.name, **(metadata or {})}
    (path / "assets.extra" / "psad.json").write_text(json.dumps(described, indent=1))
    write_report(path, served, compared)


def _endpoint(name: str, raw_spec: dict, features: FeatureSet, transform, served):
    """What a signature takes, and the function that answers it."""
    queue = name if served.serving.batching else None
    is_compiled = served.serving.xla and name != "rank_plain"

    def answered(raw):
        inputs = _checked_inputs(raw, transform, features)
        scores = served(inputs, queue, is_compiled)
        return _outputs(scores, inputs[CANDIDATE_IS_VALID])

    if name == "serving_default":
        specs = [tf.TensorSpec([None], tf.string, name=EXAMPLES)]
        return specs, lambda given: answered(tf.io.parse_example(given, raw_spec))
    specs = rank_signature(features)
    names = [spec.name for spec in specs]

    def answer_packed(*packed):
        return answered(_unpack(dict(zip(names, packed, strict=True)), features))

    return specs, answer_packed


def _checked_inputs(raw: dict, transform, features: FeatureSet) -> dict:
    """Raw features to input tensors, or the error of the request that they are of."""
    with tf.control_dependencies(check_raw(raw, features)):
        raw = {k: _identity(v) for k, v in raw.items()}
    return model_inputs(transform(raw))


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
