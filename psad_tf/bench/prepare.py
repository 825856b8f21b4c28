"""Makes a bundle: by the pipeline's own Transform, or straight from a world."""

import functools
import glob
import tempfile
from pathlib import Path

import numpy as np

from psad_tf.bench.bundle import SPLITS, TENSORS, Bundle
from psad_tf.data.click_world.config import world_config
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import feature_set

_BATCH = 1024


def prepare_bundle(
    dataset: str, path: Path, raw: Path | None = None, seed: int = 0, size: str = ""
) -> Bundle:
    """Makes and writes the bundle of a data set.

    Args:
        dataset: The name of a feature set.
        path: The file to write.
        raw: Folder of the raw files; None fetches them. Not for a simulated world.
        seed: Of the first stage, or of the world.
        size: Of a simulated world; "" is `study`.

    Raises:
        ConfigError: A size was given for a data set that has none.
    """
    features = feature_set(dataset)
    if features.truth:
        from psad_tf.bench.world_bundle import world_bundle

        length = features.list_length
        config = world_config(size or "study", seed, list_length=length)
        bundle = world_bundle(config)
    elif size:
        raise ConfigError(f"--size={size!r}: {dataset} has no sizes; leave it out")
    else:
        bundle = _transformed(features, raw, seed)
    bundle.save(path)
    return bundle


def _transformed(features, raw, seed) -> Bundle:
    from psad_tf.data.build import build_dataset

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        build_dataset(features.name, work / "lists", raw, seed)
        return _fitted(features, work)


def _fitted(features, work: Path) -> Bundle:
    import tensorflow as tf
    import tensorflow_transform as tft
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from psad_tf.sizing import input_sizes, text_fields
    from schemas import schema_path

    text = Path(schema_path(features.name)).read_text(encoding="utf-8")
    schema = text_format.Parse(text, schema_pb2.Schema())
    _fit(features, schema, work)
    output = tft.TFTransformOutput(str(work / "transform"))
    sizes = input_sizes(features, output.vocabulary_size_by_name)
    sizes["user_id_dropout_fields"] = text_fields(features.user)
    layer = output.transform_features_layer()
    spec = tft.tf_metadata.schema_utils.schema_as_feature_spec(schema).feature_spec
    splits = {}
    for split in SPLITS:
        files = sorted(glob.glob(str(work / "lists" / split / "*.gz")))
        records = tf.data.TFRecordDataset(files, "GZIP").batch(_BATCH)
        found = [layer(tf.io.parse_example(batch, spec)) for batch in records]
        splits[split] = {
            name: np.concatenate([batch[name].numpy() for batch in found])
            for name in TENSORS
        }
    sizes = {k: list(v) if isinstance(v, tuple) else v for k, v in sizes.items()}
    return Bundle(features.name, sizes, splits)


def _fit(features, schema, work: Path) -> None:
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam
    from tfx_bsl.public import tfxio

    from psad_tf.data.build import BEAM_ARGUMENTS
    from tfx_pipeline.preprocessing import preprocessing_fn

    custom = {"dataset": features.name}
    pattern = str(work / "lists" / "train" / "*.gz")
    source = tfxio.TFExampleRecord(file_pattern=pattern, schema=schema)
    with (
        beam.Pipeline(argv=BEAM_ARGUMENTS) as pipeline,
        tft_beam.Context(temp_dir=str(work / "temporary")),
    ):
        lists = pipeline | source.BeamSource(), source.TensorAdapterConfig()
        _, fitted = lists | tft_beam.AnalyzeAndTransformDataset(
            functools.partial(preprocessing_fn, custom_config=custom)
        )
        fitted | tft_beam.WriteTransformFn(str(work / "transform"))
