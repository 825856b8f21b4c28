"""The Trainer's entry point: transformed lists to a served scorer and its logs."""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.utils import io_utils

from psad_tf import metrics, tensors
from psad_tf.decoding import beam_search, full_order
from psad_tf.export import export_scorer
from psad_tf.feature_sets import feature_set
from psad_tf.features import LABEL, REQUEST_ID, TIMESTAMP
from psad_tf.model import PSAD, build_psad
from psad_tf.sizing import model_config
from psad_tf.training import compiled, read_lists, score_lists, train
from psad_tf.training_config import training_config

WEIGHTS_FILE = "psad.keras"


def run_fn(fn_args: FnArgs) -> None:
    """Trains PSAD and exports its scorer.

    Writes the SavedModel into `serving_model_dir`, and into `model_run_dir` the logs
    and the whole model with its teacher (for warm starts and studies).
    """
    settings = json.loads(fn_args.custom_config["settings"])
    features = feature_set(settings["dataset"])
    keras.utils.set_random_seed(settings["seed"])
    transform = tft.TFTransformOutput(fn_args.transform_output)
    config = model_config(
        features, transform.vocabulary_size_by_name, settings["model"]
    )
    training = training_config(settings["training"], settings["seed"])

    spec = transform.transformed_feature_spec()
    batch = training.batch_size
    lists = read_lists(fn_args.train_files, spec, batch, training.seed)
    validation = read_lists(fn_args.eval_files, spec, 256)
    model = build_psad(config)
    logs = Path(fn_args.model_run_dir)
    train(model, lists, validation, training, logs)

    branches = compare_branches(model, validation)
    (logs / "branches.json").write_text(json.dumps(branches, indent=1))
    (logs / "model.json").write_text(config.to_json())
    model.save(logs / WEIGHTS_FILE)
    export_scorer(
        model.scorer,
        transform.transform_features_layer(),
        serving_spec(fn_args.schema_path),
        features,
        Path(fn_args.serving_model_dir),
        metadata={"validation": branches, "model": json.loads(config.to_json())},
    )


def serving_spec(schema_path: str) -> dict:
    """How a request is parsed: the raw schema without what only training has."""
    schema = io_utils.parse_pbtxt_file(schema_path, schema_pb2.Schema())
    spec = schema_utils.schema_as_feature_spec(schema).feature_spec
    training_only = (LABEL, REQUEST_ID, TIMESTAMP)
    return {name: how for name, how in spec.items() if name not in training_only}


def compare_branches(model: PSAD, dataset) -> dict[str, float]:
    """NDCG@10 of student, teacher and initial order over a dataset's lists."""
    labels, scores, is_valid = score_lists(compiled(model.scorer), dataset)
    initial = -np.broadcast_to(np.arange(labels.shape[1], dtype=float), labels.shape)
    teacher = np.concatenate(list(_teacher_scores(model, dataset)))
    ranked = {"student": scores, "teacher": teacher, "initial": initial}
    return {
        f"{name}_ndcg_at_10": float(np.mean(metrics.ndcg(labels, s, is_valid, k=10)))
        for name, s in ranked.items()
    }


def _teacher_scores(model: PSAD, dataset):
    """For each batch, scores [batch, list] that give the teacher's order."""

    @tf.function
    def order_of(inputs):
        order, _ = beam_search(model, inputs)
        scores = model.scorer(inputs, training=False)
        return full_order(order, scores, inputs[tensors.CANDIDATE_IS_VALID])

    for inputs, _ in dataset:
        order = order_of(inputs).numpy()
        scores = np.zeros(order.shape)
        rows, ranks = np.nonzero(order >= 0)
        scores[rows, order[rows, ranks]] = -ranks.astype(float)
        yield scores
