"""Trains PSAD: both branches from scratch, the best epoch by validation NDCG@10."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from psad_tf import metrics, tensors
from psad_tf.data.errors import DataError
from psad_tf.model import PSAD
from psad_tf.training_config import TrainingConfig

VALIDATION_NDCG = "val_ndcg_at_10"


def model_inputs(transformed: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The model's inputs among the transform's outputs, validity as booleans."""
    inputs = {name: transformed[name] for name in tensors.INPUTS}
    for name in (tensors.CANDIDATE_IS_VALID, tensors.HISTORY_IS_VALID):
        inputs[name] = tf.cast(inputs[name], tf.bool)
    return inputs


def read_lists(files, feature_spec, batch_size: int, shuffle_seed: int | None = None):
    """Reads transformed lists (gzipped TFRecords) as `(inputs, labels)` batches.

    Args:
        files: File patterns.
        feature_spec: The transform's output specification.
        batch_size: Lists a batch; the last one may be smaller, none is dropped.
        shuffle_seed: Shuffles anew each pass; None keeps the order of the files.

    Raises:
        DataError: No list was found.
    """
    names = sorted({n for pattern in files for n in tf.io.gfile.glob(pattern)})
    records = tf.data.TFRecordDataset(names, compression_type="GZIP")
    # Sorted: how many shards a split has must not decide the order of lists.
    serialized = sorted(records.as_numpy_iterator())
    if not serialized:
        raise DataError(
            f"no lists in {list(files)}: this split is empty; check the counts of the "
            "data step (summary.json) and give it a longer log"
        )
    dataset = tf.data.Dataset.from_tensor_slices(serialized)
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(serialized), seed=shuffle_seed)

    def parse(batch):
        transformed = tf.io.parse_example(batch, feature_spec)
        return model_inputs(transformed), transformed[tensors.LABEL]

    dataset = dataset.batch(batch_size).map(parse, num_parallel_calls=2)
    return dataset.prefetch(tf.data.AUTOTUNE)


def compiled(scorer):
    """The scorer as a graph: input tensors to scores."""
    return tf.function(lambda inputs: scorer(inputs, training=False))


def score_lists(score, dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores every list of a dataset.

    Args:
        score: From `compiled`; keep it, since each one is traced anew.
        dataset: Batches of `(inputs, labels)`.

    Returns:
        labels, scores and validity, each [lists, list length].
    """
    rows = [
        (label.numpy(), score(inputs).numpy(), inputs[tensors.CANDIDATE_IS_VALID])
        for inputs, label in dataset
    ]
    labels, scores, is_valid = (
        np.concatenate(column) for column in zip(*rows, strict=True)
    )
    return labels, scores, is_valid.astype(bool)


class RankingEvaluation(keras.callbacks.Callback):
    """Adds the student's validation NDCG@10 and MAP@10 to each epoch's logs."""

    def __init__(self, dataset):
        super().__init__()
        self.dataset = dataset.cache()

    def on_train_begin(self, logs=None):
        self.score = compiled(self.model.scorer)

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            # There is no order to measure; `train` raises at the end.
            logs[VALIDATION_NDCG] = logs["val_map_at_10"] = float("nan")
            return
        labels, scores, is_valid = score_lists(self.score, self.dataset)
        ndcg = metrics.ndcg(labels, scores, is_valid, k=10)
        precision = metrics.average_precision(labels, scores, is_valid, k=10)
        logs[VALIDATION_NDCG] = float(np.mean(ndcg))
        logs["val_map_at_10"] = float(np.mean(precision))


def optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """AdamW with a cosine schedule over `steps`."""
    result = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(config.learning_rate, steps),
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
    )
    result.exclude_from_weight_decay(
        var_names=["bias", "gamma", "beta", "embedding", "position"]
    )
    return result


def train(
    model: PSAD, training, validation, config: TrainingConfig, log_dir: Path
) -> dict[str, list[float]]:
    """Trains in place and leaves the best epoch's weights in the model.

    Writes into `log_dir`: TensorBoard events, `history.json` (a list of values an epoch
    for each logged name), `training.json` (the configuration).

    Args:
        model: The model, not compiled.
        training: Batches of `(inputs, labels)`, reshuffled each pass.
        validation: Batches of `(inputs, labels)`.
        config: How to train.
        log_dir: Where the logs go; made when missing.

    Returns:
        The history: logged name to one value an epoch.

    Raises:
        FloatingPointError: The loss became NaN or infinite.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    steps = int(training.cardinality())
    # On CPU the compiled step is the slower one, and costs half a minute to compile.
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    model.compile(optimizer(config, steps * config.epochs), jit_compile=has_gpu)
    fitted = model.fit(
        training,
        epochs=config.epochs,
        verbose=2,
        validation_data=validation,
        callbacks=[
            RankingEvaluation(validation),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.EarlyStopping(
                VALIDATION_NDCG,
                mode="max",
                patience=config.patience,
                restore_best_weights=True,
            ),
            keras.callbacks.TensorBoard(log_dir / "tensorboard"),
        ],
    )
    history = {k: [float(v) for v in values] for k, values in fitted.history.items()}
    if not np.all(np.isfinite(history["loss"])):
        raise FloatingPointError(
            f"the loss was not finite in epoch {len(history['loss'])}; lower the "
            f"learning rate (now {config.learning_rate}) or clip_norm"
        )
    (log_dir / "history.json").write_text(json.dumps(history, indent=1))
    (log_dir / "training.json").write_text(json.dumps(asdict(config), indent=1))
    return history
