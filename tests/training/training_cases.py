"""Transformed lists on disk, and a model small enough to be trained on them."""

import dataclasses
import os
import signal
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

import keras
import numpy as np
import tensorflow as tf
from quick_graphs import quick_graphs

from psad_tf import tensors, training_callbacks
from psad_tf.config import PSADConfig
from psad_tf.training import train
from psad_tf.training_config import TrainingConfig
from psad_tf.training_data import read_lists
from psad_tf.training_distribution import new_model, strategy_of

CONFIG = PSADConfig(
    item_rows=30,
    item_widths=(1, 2),
    item_unknown_ids=(1, 20),
    user_rows=9,
    user_widths=(1,),
    user_unknown_ids=(1,),
    candidate_dense_size=2,
    history_dense_size=2,
    list_length=5,
    history_length=3,
    slate_length=4,
    block_size=2,
    embedding_dim=4,
    hidden_dim=8,
    num_layers=1,
)
# Replicas draw other random numbers than one device does: nothing is drawn.
SURE = dataclasses.replace(
    CONFIG, dropout=0.0, id_dropout=0.0, refine_size=0, target_order="shown"
)
# The last batch of a pass has 5 lists: no equal shares for two. The norm is clipped.
SPREAD = TrainingConfig(
    epochs=2, batch_size=8, learning_rate=0.01, clip_norm=0.3, patience=9
)
KILLED = TrainingConfig(
    epochs=4, batch_size=8, learning_rate=0.02, patience=9, stop_on="both", seed=5
)
KILLED_AT = 7  # steps; each epoch has 3
M, N = CONFIG.list_length, CONFIG.history_length
SPEC = {
    tensors.USER_IDS: tf.io.FixedLenFeature([1], tf.int64),
    tensors.CANDIDATE_IDS: tf.io.FixedLenFeature([M, 3], tf.int64),
    tensors.CANDIDATE_DENSE: tf.io.FixedLenFeature([M, 2], tf.float32),
    tensors.CANDIDATE_IS_VALID: tf.io.FixedLenFeature([M], tf.int64),
    tensors.HISTORY_IDS: tf.io.FixedLenFeature([N, 3], tf.int64),
    tensors.HISTORY_DENSE: tf.io.FixedLenFeature([N, 2], tf.float32),
    tensors.HISTORY_IS_VALID: tf.io.FixedLenFeature([N], tf.int64),
    tensors.LABEL: tf.io.FixedLenFeature([M], tf.float32),
}


def make_list(number, dense=None):
    """A transformed list whose first number is its own, for recognition."""
    random = np.random.default_rng(number)
    is_valid = (np.arange(M) < 1 + number % M).astype(int)
    numbers = random.normal(size=(M, 2))
    numbers[0, 0] = number if dense is None else dense
    values = {
        tensors.USER_IDS: random.integers(1, 9, 1),
        tensors.CANDIDATE_IDS: random.integers(1, 30, (M, 3)),
        tensors.CANDIDATE_DENSE: numbers,
        tensors.CANDIDATE_IS_VALID: is_valid,
        tensors.HISTORY_IDS: random.integers(1, 30, (N, 3)),
        tensors.HISTORY_DENSE: random.normal(size=(N, 2)),
        tensors.HISTORY_IS_VALID: (np.arange(N) < number % (N + 1)).astype(int),
        tensors.LABEL: (random.random(M) < 0.4) * is_valid * 1.0,
    }
    example = tf.train.Example()
    for name, value in values.items():
        feature = example.features.feature[name]
        is_id = np.issubdtype(value.dtype, np.integer)
        out = feature.int64_list if is_id else feature.float_list
        out.value.extend(value.ravel().tolist())
    return example.SerializeToString()


def write_shards(folder, records, shards=2):
    """Records, dealt to gzipped TFRecord files; the pattern that finds them."""
    folder.mkdir(parents=True)
    options = tf.io.TFRecordOptions("GZIP")
    for i in range(shards):
        file = str(folder / f"part-{i:02}.gz")
        with tf.io.TFRecordWriter(file, options) as writer:
            for record in records[i::shards]:
                writer.write(record)
    return [str(folder / "part-*")]


def weights(model):
    return [w.numpy() for w in model.trainable_weights]


def train_on(files, config, training, out):
    """Trains as `run_fn` does; the model and its history."""
    strategy = strategy_of(training)
    keras.utils.set_random_seed(training.seed)
    lists = read_lists(files, SPEC, training.batch_size, training.seed)
    validation = read_lists(files, SPEC, 5)
    model = new_model(config, training, strategy)
    with quick_graphs():
        return model, train(model, lists, validation, training, out)


def _die_at(step):
    def on_train_batch_end(progress, batch, logs=None):
        if progress._epoch * progress.steps + batch + 1 == step:
            os.kill(os.getpid(), signal.SIGKILL)

    training_callbacks.Progress.on_train_batch_end = on_train_batch_end


def main(what, files, out):
    """A training for a process of its own.

    Args:
        what: `killed`, or a strategy of the training's.
        files: The pattern of the lists' files.
        out: Where to write; weights and history go beside it, into `OUT.npz`.
    """
    if what == "killed":
        _die_at(KILLED_AT)
        train_on([files], CONFIG, KILLED, Path(out))
        return
    if what == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
    spread = dataclasses.replace(SPREAD, strategy=what)
    model, history = train_on([files], SURE, spread, Path(out))
    replicas = model.distribute_strategy.num_replicas_in_sync
    np.savez(f"{out}.npz", *weights(model), replicas=replicas, **history)
