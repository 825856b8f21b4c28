"""A transform fitted on three small lists, and a tiny PSAD on top of it, exported.

TensorFlow and TFX are imported inside the functions: most tests run without them.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES
from schemas import schema_path

USER = {
    "user_id": "u1",
    "user_age": 30.0,
    "user_gender": "F",
    "user_occupation": "artist",
    "user_zip_prefix": "9",
    "user_rating_count": 0.0,
}


def item(name, genres, year, mean_rating, **more):
    """An item's shared features."""
    return {
        "item_id": name,
        "genres": genres,
        "year": year,
        "mean_rating": mean_rating,
        "like_rate": 0.5,
        "log_rating_count": 1.0,
        **more,
    }


AFFINITY = dict.fromkeys(
    ("genre_affinity", "year_affinity", "similar_items", "similar_users"), 0.0
)


def candidate(name, genres, year, mean_rating, score=0.0):
    """A candidate, about which nothing is known of the user's taste."""
    return item(name, genres, year, mean_rating, initial_score=score, **AFFINITY)


def past_item(name, genres, year, mean_rating, log_hours_ago=1.0, stars=4.0):
    """A past item; 4 stars and more are a like."""
    own = {"rating": stars, "liked": float(stars >= 4), "log_hours_ago": log_hours_ago}
    return item(name, genres, year, mean_rating, **own)


A = candidate("a", "Drama|War", 1995.0, 2.0)
B = candidate("b", "Drama", 0.0, 4.0)
C = candidate("c", "War", 1940.0, 3.0)


def training_lists() -> list[RankingList]:
    """Item a stands 3 times (2 + 1), b 4 times (3 offered, 1 past), c twice."""

    def make(number, candidates, history=()):
        labels = [1.0] + [0.0] * (len(candidates) - 1)
        return RankingList(USER, candidates, history, labels, f"r{number}", 7)

    past = past_item("b", "Drama", 0.0, 5.0)
    return [make(1, [A, B, C]), make(2, [B, A]), make(3, [A, B, C], [past])]


def write_records(file: Path, lists, features=FEATURES) -> Path:
    """Lists as a TFRecord file."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(file)) as writer:
        for ranking_list in lists:
            writer.write(encode_list(ranking_list, features))
    return file


def fit_transform(folder: Path, lists=None, features=FEATURES):
    """The `TFTransformOutput` of `preprocessing_fn`, fitted on lists.

    Args:
        folder: Where to write.
        lists: The lists; None for `training_lists`.
        features: Theirs.
    """
    import apache_beam as beam
    import quick_beam  # noqa: F401
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.public import tfxio

    from tfx_pipeline.preprocessing import preprocessing_fn

    lists = training_lists() if lists is None else lists
    file = write_records(folder / "lists", lists, features)
    path = schema_path(features.name)
    schema = text_format.Parse(path.read_text(), schema_pb2.Schema())
    source = tfxio.TFExampleRecord(str(file), schema=schema)
    fn = functools.partial(preprocessing_fn, custom_config={"dataset": features.name})
    with (
        beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline,
        tft_beam.Context(temp_dir=str(folder / "tmp")),
    ):
        data = pipeline | source.BeamSource(), source.TensorAdapterConfig()
        _, fitted = data | tft_beam.AnalyzeAndTransformDataset(fn)
        fitted | tft_beam.WriteTransformFn(str(folder / "out"))
    return tft.TFTransformOutput(str(folder / "out"))


@dataclass(frozen=True)
class Exported:
    """What was exported, and where to.

    Args:
        path: The SavedModel.
        model: The whole PSAD, teacher included.
        transform: The transform as a layer.
        spec: How a serving example is parsed.
    """

    path: Path
    model: Any
    transform: Any
    spec: dict


def export_tiny(
    transform_output, path: Path, features=FEATURES, serving=None, seed=1, change=None
) -> Exported:
    """A tiny PSAD with random weights, after a change if there is one, exported."""
    import keras
    import numpy as np

    from psad_tf.export import export_scorer
    from psad_tf.model import build_psad
    from psad_tf.sizing import model_config
    from tfx_pipeline.trainer import serving_spec

    sizes = {"hidden_dim": 8, "embedding_dim": 4, "num_layers": 1}
    keras.utils.set_random_seed(seed)
    model = build_psad(
        model_config(features, transform_output.vocabulary_size_by_name, sizes)
    )
    random = np.random.default_rng(seed)
    for weight in model.trainable_weights:  # some start at 0 and would hide mistakes
        weight.assign_add(random.normal(size=weight.shape, scale=0.5))
    if change is not None:
        change(model)
    layer = transform_output.transform_features_layer()
    spec = serving_spec(str(schema_path(features.name)), features)
    export_scorer(model.scorer, layer, spec, features, path, {"note": "tiny"}, serving)
    return Exported(path, model, layer, spec)
