"""Training on several devices and hosts: who holds the model, who gets which lists."""

import json
import os

import tensorflow as tf

from psad_tf.config import PSADConfig
from psad_tf.errors import ConfigError
from psad_tf.model import PSAD, build_psad
from psad_tf.training_config import TrainingConfig
from psad_tf.training_data import Lists


def strategy_of(config: TrainingConfig) -> tf.distribute.Strategy:
    """How TensorFlow spreads the work.

    For several hosts, call it before anything else of TensorFlow runs.

    Raises:
        ConfigError: There are to be several hosts, and TF_CONFIG names none.
    """
    if config.strategy == "none":
        return tf.distribute.get_strategy()
    if config.strategy == "mirrored":
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if "cluster" not in json.loads(os.environ.get("TF_CONFIG") or "{}"):
        raise ConfigError(
            "training: strategy='multi_worker' needs TF_CONFIG with the addresses of "
            'all hosts and the number of this one: {"cluster": {"worker": '
            '["host-a:2222", "host-b:2222"]}, "task": {"type": "worker", "index": 0}}'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes what only one host may write."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if "chief" in resolver.cluster_spec().jobs:
        return resolver.task_type == "chief"
    return (resolver.task_type, resolver.task_id) == ("worker", 0)


def new_model(
    config: PSADConfig, training: TrainingConfig, strategy: tf.distribute.Strategy
) -> PSAD:
    """A model to be trained: in the precision, and on the devices, of the training."""
    with strategy.scope():
        model = PSAD(config, dtype=training.precision)
        model.build()
    return model


def plain_copy(model: PSAD) -> PSAD:
    """The same weights in float32 on one device: to be evaluated, saved and served."""
    result = build_psad(model.config)
    result.set_weights(model.get_weights())
    return result


def stream(lists: Lists, strategy: tf.distribute.Strategy, first_step: int = 0):
    """What `fit` reads: pass after pass of `(inputs, labels)` from a step on.

    With several replicas each batch is cut into equal shares. Lists of weight 0 fill
    the last ones, so that `(inputs, labels, weights)` come. Every host reads the same
    batches and parses its own shares.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return lists.parsed(lists.batches(first_step))

    def of_host(context):
        each = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * each
        shares = lists.batches(first_step).flat_map(
            lambda batch: tf.data.Dataset.from_tensor_slices(
                tuple(x[first : first + each] for x in in_shares(batch, replicas))
            )
        )
        return lists.parsed(shares)

    return strategy.distribute_datasets_from_function(of_host)


def in_shares(batch: tf.Tensor, replicas: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts a batch into equal shares.

    Args:
        batch: Any type `[batch]`, not empty.
        replicas: How many shares.

    Returns:
        The entries `[replicas, share]`, the first one again where they run out; and
        their weights, float32 `[replicas, share]`, 0 for those.
    """
    count = tf.shape(batch)[0]
    places = tf.reshape(tf.range(-(-count // replicas) * replicas), (replicas, -1))
    is_real = places < count
    return tf.gather(batch, tf.where(is_real, places, 0)), tf.cast(is_real, tf.float32)
