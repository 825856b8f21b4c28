"""The optimizer and its learning rate; the same for every backend of Keras."""

import keras
from keras import ops

from psad_tf.errors import ConfigError
from psad_tf.training_config import TrainingConfig


@keras.saving.register_keras_serializable(package="psad_tf")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to a schedule's start, then follows the schedule.

    Args:
        schedule: What follows, counted from the end of the rise.
        warmup_steps: Steps of the rise, 1 or more; step number i, from 0, has
            (i + 1) / warmup_steps of the schedule's start, so that no step has rate 0.
    """

    def __init__(self, schedule, warmup_steps: int):
        super().__init__()
        self.schedule = schedule
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        after = ops.maximum(ops.cast(step, "int32") - self.warmup_steps, 0)
        done = (ops.cast(step, "float32") + 1) / self.warmup_steps
        return ops.minimum(done, 1.0) * self.schedule(after)

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "warmup_steps": self.warmup_steps}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["warmup_steps"])


def learning_rate(config: TrainingConfig, steps: int):
    """The rate at each step, as `config.schedule` says.

    Args:
        config: How to train.
        steps: All steps of the training; the rate is 0 after them, unless constant.

    Raises:
        ConfigError: The warm-up is as long as the training.
    """
    left = steps - config.warmup_steps
    if left < 1:
        raise ConfigError(
            f"training: warmup_steps={config.warmup_steps} must be less than the "
            f"{steps} steps of the whole training; lower it, or train for more epochs"
        )
    schedules, rate = keras.optimizers.schedules, config.learning_rate
    if config.schedule == "cosine":
        result = schedules.CosineDecay(rate, left)
    else:
        end = 0.0 if config.schedule == "linear" else rate
        result = schedules.PolynomialDecay(rate, left, end_learning_rate=end)
    return WarmUp(result, config.warmup_steps) if config.warmup_steps else result


class Reduced:
    """An optimizer for gradients that are summed over all replicas already.

    Keras sums at the very end, so that each replica would clip its own share.
    """

    takes_slices = False  # a table's gradient as rows, not as one tensor

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return list(grads_and_vars)


@keras.saving.register_keras_serializable(package="psad_tf")
class ReducedAdamW(Reduced, keras.optimizers.AdamW):
    """AdamW on one device or many."""


if keras.backend.backend() == "tensorflow":
    from psad_tf.lazy_adamw import LazyAdamW

    @keras.saving.register_keras_serializable(package="psad_tf")
    class ReducedLazyAdamW(Reduced, LazyAdamW):
        """LazyAdamW on one device or many."""

        takes_slices = True


def optimizer(config: TrainingConfig, steps: int) -> keras.optimizers.Optimizer:
    """AdamW whose rate follows the schedule over `steps`.

    Args:
        config: How to train.
        steps: All steps of the training.

    Raises:
        ConfigError: The warm-up is as long as the training, or this backend knows no
            lazy updates.
    """
    kind = ReducedAdamW
    if config.table_updates == "lazy":
        if keras.backend.backend() != "tensorflow":
            raise ConfigError(
                "training: table_updates='lazy' needs the TensorFlow backend of Keras; "
                "choose 'dense'"
            )
        kind = ReducedLazyAdamW
    result = kind(
        learning_rate(config, steps),
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
    )
    result.exclude_from_weight_decay(
        var_names=["bias", "gamma", "beta", "embedding", "position"]
    )
    return result
