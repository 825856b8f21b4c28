"""A SavedModel with the signatures of a real export, whose answers a test can predict.

The score of a candidate is its initial score times `scale`, plus the bonus of its id;
padding scores -1e4.
"""

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from psad_tf.features import INITIAL_SCORE, FeatureSet, candidate_name

BONUS = {"gold": 100.0}
LENGTH = 20


class TinyModel(tf.Module):
    """Scores by the initial score; `scale` tells versions apart."""

    def __init__(self, features: FeatureSet, scale: float):
        super().__init__()
        self.features = features
        self.scale = tf.Variable(scale)
        self.bonus = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(list(BONUS), list(BONUS.values())), 0.0
        )

    def rank_items(self, ids, initial_scores, count):
        is_valid = tf.sequence_mask(count, LENGTH)
        scores = initial_scores * self.scale + self.bonus.lookup(ids)
        scores = tf.where(is_valid, scores, -1e4)
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
        return {"scores": scores, "order": tf.where(is_valid, order, -1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serving_default(self, examples):
        ragged = tf.io.RaggedFeature
        scores_name = f"candidate_{INITIAL_SCORE}"
        parsed = tf.io.parse_example(
            examples,
            {
                "candidate_item_id": ragged(tf.string),
                scores_name: ragged(tf.float32),
            },
        )
        ids, scores = parsed["candidate_item_id"], parsed[scores_name]
        count = tf.cast(ids.row_lengths(), tf.int32)
        padded = scores.to_tensor(shape=[None, LENGTH])
        return self.rank_items(ids.to_tensor("", shape=[None, LENGTH]), padded, count)

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "steps")])
    def slow(self, steps):
        """Takes a time in proportion to `steps`."""
        done = tf.while_loop(
            lambda i, x: i < steps,
            lambda i, x: (i + 1, tf.sin(x)),
            (0, self.scale),
            parallel_iterations=1,
        )
        return {"steps": done[0], "value": done[1]}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "x")])
    def one(self, x):
        """One output."""
        return {"twice": 2 * x}

    def rank(self, **inputs):
        """The same over plain tensors; which columns is the feature set's business."""
        columns = self.features.of_candidates()
        text = [candidate_name(f) for f in columns if f.kind.is_text]
        numbers = [candidate_name(f) for f in columns if not f.kind.is_text]
        ids = inputs["candidate_text"][..., text.index("candidate_item_id")]
        column = numbers.index(f"candidate_{INITIAL_SCORE}")
        pad = [[0, 0], [0, LENGTH - tf.shape(ids)[1]]]
        scores = tf.pad(inputs["candidate_values"][..., column], pad)
        return self.rank_items(tf.pad(ids, pad), scores, inputs["candidate_count"])


def rank_specs(features: FeatureSet) -> dict[str, tf.TensorSpec]:
    """The inputs of `rank`."""
    specs = {}
    of = {
        "user": (features.user, [None]),
        "candidate": (features.of_candidates(), [None, None]),
        "history": (features.of_history(), [None, None]),
    }
    for role, (columns, shape) in of.items():
        text = sum(feature.kind.is_text for feature in columns)
        specs[f"{role}_text"] = tf.TensorSpec([*shape, text], tf.string)
        specs[f"{role}_values"] = tf.TensorSpec(
            [*shape, len(columns) - text], tf.float32
        )
        if role != "user":
            specs[f"{role}_count"] = tf.TensorSpec([None], tf.int32)
    return {n: tf.TensorSpec(s.shape, s.dtype, n) for n, s in specs.items()}


def save(path: Path, features: FeatureSet, scale: float = 1.0) -> Path:
    """Writes a version folder."""
    model = TinyModel(features, scale)
    rank = tf.function(model.rank).get_concrete_function(**rank_specs(features))
    signatures = {
        "serving_default": model.serving_default,
        "rank": rank,
        "slow": model.slow,
        "one": model.one,
    }
    tf.saved_model.save(model, str(path), signatures)
    return path


def rescaled(export: Path, path: Path, scale: float) -> Path:
    """Copies a version folder with another scale, in a few milliseconds."""
    shutil.copytree(export, path)
    prefix = str(path / "variables" / "variables")
    reader = tf.train.load_checkpoint(prefix)
    saved = {
        name: reader.get_tensor(name) for name in reader.get_variable_to_dtype_map()
    }
    (name,) = (name for name in saved if name.startswith("scale/"))
    saved[name] = np.float32(scale)
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(saved),
        shape_and_slices=[""] * len(saved),
        tensors=[tf.constant(value) for value in saved.values()],
    )
    return path
