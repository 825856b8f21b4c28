"""The Trainer's entry point: transformed lists to a served scorer and its logs."""

import json
import logging
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow_transform as tft
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.utils import io_utils

from psad_tf import metrics
from psad_tf.export import export_scorer
from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet
from psad_tf.memory import memory
from psad_tf.model import PSAD
from psad_tf.rank_correlation import kendall
from psad_tf.serving_config import serving_config
from psad_tf.sizing import model_config
from psad_tf.training import train
from psad_tf.training_backup import fingerprint
from psad_tf.training_config import training_config
from psad_tf.training_data import read_lists
from psad_tf.training_distribution import is_chief, new_model, plain_copy, strategy_of
from psad_tf.training_evaluation import compiled, compiled_teacher, score_lists
from tfx_pipeline.gate.record import TEACHER_FILE
from tfx_pipeline.origins import WEIGHTS_FILE
from tfx_pipeline.warm_start import START_FILE, begin, start_of


def run_fn(fn_args: FnArgs) -> None:
    """Trains PSAD and exports its scorer.

    Writes the SavedModel into `serving_model_dir`, and into `model_run_dir` the logs
    and the whole model with its teacher (for warm starts and studies). It begins from
    the weights in `base_model`, if there are any that fit. Run again after a kill, on
    the same lists with the same settings and code, it goes on training.
    """
    settings = json.loads(fn_args.custom_config["settings"])
    training = training_config(settings["training"], settings["seed"])
    # Before anything else of TensorFlow runs: it may have to find the other hosts.
    strategy = strategy_of(training)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    config = model_config(
        feature_set(settings["dataset"]),
        transform.vocabulary_size_by_name,
        settings["model"],
    )
    logging.info("memory:\n%s", memory(config, training))
    spec = transform.transformed_feature_spec()
    lists = read_lists(fn_args.train_files, spec, training.batch_size, training.seed)
    validation = read_lists(fn_args.eval_files, spec, 256)
    keras.utils.set_random_seed(training.seed)
    model = new_model(config, training, strategy)
    features = feature_set(settings["dataset"])
    start = begin(model, fn_args.base_model, fn_args.transform_output, features)
    logs = Path(fn_args.model_run_dir)
    backup = backup_folder(fn_args, lists.fingerprint + validation.fingerprint)
    train(model, lists, validation, training, logs, backup)
    if is_chief(strategy):
        (logs / START_FILE).write_text(json.dumps(start, indent=1))
        _write(plain_copy(model), validation, transform, fn_args)
        # With what runs of other settings may have left.
        shutil.rmtree(backup.parent)


def backup_folder(fn_args: FnArgs, data: str) -> Path:
    """Where a run finds what a killed one left.

    TFX gives each run of the Trainer new folders, `<Trainer>/<output>/<run>`, so that
    it stands beside them and is named for what the training is made of. How the model
    is served is no part of that: a failed export is tried again without training.
    """
    given = fn_args.custom_config.items()
    start = start_of(fn_args.base_model)["version"]
    settings = {name: value for name, value in given if name != "serving"}
    key = fingerprint(settings, data, start)
    return Path(fn_args.model_run_dir).parent.parent / "backup" / key


def _write(model, validation, transform, fn_args) -> None:
    settings = json.loads(fn_args.custom_config["settings"])
    features = feature_set(settings["dataset"])
    logs, config = Path(fn_args.model_run_dir), model.config
    by_list = branch_values(model, validation.once())
    np.savez(logs / TEACHER_FILE, **by_list)
    branches = {
        f"{name}_ndcg_at_10": float(by_list[name].mean())
        for name in ("student", "teacher", "initial")
    }
    (logs / "branches.json").write_text(json.dumps(branches, indent=1))
    (logs / "model.json").write_text(config.to_json())
    model.save(logs / WEIGHTS_FILE)
    export_scorer(
        model.scorer,
        transform.transform_features_layer(),
        serving_spec(fn_args.schema_path, features),
        features,
        Path(fn_args.serving_model_dir),
        metadata={"validation": branches, "model": json.loads(config.to_json())},
        serving=serving_config(json.loads(fn_args.custom_config["serving"])),
        validation=validation.once(),
    )


def serving_spec(schema_path: str, features: FeatureSet) -> dict:
    """How a request is parsed: the raw schema without what only training has."""
    schema = io_utils.parse_pbtxt_file(schema_path, schema_pb2.Schema())
    spec = schema_utils.schema_as_feature_spec(schema).feature_spec
    left_out = features.training_only()
    return {name: how for name, how in spec.items() if name not in left_out}


def branch_values(model: PSAD, dataset) -> dict[str, np.ndarray]:
    """What student and teacher make of each list of a dataset.

    Returns:
        `student`, `teacher` and `initial`, the NDCG@10 of each order, and
        `correlation`, Kendall's tau of student and teacher; each float64 `[lists]`.
    """
    labels, scores, is_valid = score_lists(compiled(model.scorer), dataset)
    initial = -np.broadcast_to(np.arange(labels.shape[1], dtype=float), labels.shape)
    _, teacher, _ = score_lists(compiled_teacher(model), dataset)
    ranked = {"student": scores, "teacher": teacher, "initial": initial}
    values = {
        name: metrics.ndcg(labels, s, is_valid, k=10) for name, s in ranked.items()
    }
    return values | {"correlation": kendall(scores, teacher, is_valid)}
