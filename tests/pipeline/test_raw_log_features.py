"""The features of the three raw logs: the Transform takes them, a model is built on
them, and the presets hold what the paper says.

The graph of the Transform is traced and not fitted, which takes a minute less.
"""

import functools

import pytest

from psad_tf import tensors
from psad_tf.feature_sets import AD, AVITO, PRM_PUBLIC
from psad_tf.presets import preset
from psad_tf.sizing import model_config
from psad_tf.training_config import training_config
from schemas import schema_path

SETS = AD, PRM_PUBLIC, AVITO
of_each_log = pytest.mark.parametrize("features", SETS, ids=lambda f: f.name)


def type_specs(features):
    """What the schema says of each raw feature, as TensorFlow's types."""
    import tensorflow as tf
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    types = {schema_pb2.BYTES: tf.string, schema_pb2.INT: tf.int64}
    text = schema_path(features.name).read_text()
    return {
        feature.name: tf.TensorSpec([None], types.get(feature.type, tf.float32))
        if feature.HasField("shape")
        else tf.RaggedTensorSpec([None, None], types.get(feature.type, tf.float32), 1)
        for feature in text_format.Parse(text, schema_pb2.Schema()).feature
    }


@of_each_log
def test_the_transform_gives_each_feature_its_column(features, tmp_path):
    from tensorflow_transform import impl_helper

    from tfx_pipeline.preprocessing import preprocessing_fn

    fn = functools.partial(preprocessing_fn, custom_config={"dataset": features.name})
    specs = type_specs(features)
    _, _, outputs = impl_helper.trace_preprocessing_function(
        fn, specs, use_tf_compat_v1=False, base_temp_dir=str(tmp_path)
    )
    shapes = {name: tensor.shape.as_list() for name, tensor in outputs.items()}
    ids = [f for f in features.item if f.kind.is_id]
    offered, past = (
        [f for f in place if not f.kind.is_id]
        for place in (features.of_candidates(), features.of_history())
    )
    m, n = features.list_length, features.history_length
    assert shapes[tensors.USER_IDS][1:] == [len(features.user)]
    assert shapes[tensors.CANDIDATE_IDS][1:] == [m, len(ids)]
    assert shapes[tensors.CANDIDATE_DENSE][1:] == [m, len(offered)]
    assert shapes[tensors.HISTORY_IDS][1:] == [n, len(ids)]
    assert shapes[tensors.HISTORY_DENSE][1:] == [n, len(past)]


@of_each_log
def test_presets_are_the_papers_where_it_names_a_number(features):
    model, training = (preset(features.name, kind) for kind in ("model", "training"))
    rates = {"ad": 1e-4, "prm_public": 3e-5, "avito": 3e-5}
    config = training_config(training, seed=0)
    assert (config.batch_size, config.learning_rate) == (256, rates[features.name])
    assert config.weight_decay == 0  # AdamW without a decay is Adam
    lengths = {"ad": 20, "prm_public": 30, "avito": 5}
    assert features.list_length == lengths[features.name]
    assert features.history_length == 50
    sizes = model_config(features, lambda name: 1000, model)
    assert sizes.embedding_dim == 16
    assert sizes.slate_length == min(10, features.list_length)
    assert sizes.item_hash_buckets[0] >= 10_000  # ids in their millions
