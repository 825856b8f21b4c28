"""How a model is trained; light to import, so that a run can check it first."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from psad_tf.errors import ConfigError

CHOICES = {
    "schedule": ("cosine", "linear", "constant"),
    "table_updates": ("dense", "lazy"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "strategy": ("none", "mirrored", "multi_worker"),
    "stop_on": ("student", "teacher", "both"),
}


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Args:
        epochs: The most epochs.
        batch_size: Lists a step, over all devices and hosts together.
        learning_rate: Adam's, at its highest.
        schedule: How the rate goes on from there: to zero along a `cosine` or a
            `linear` slope, or `constant`.
        warmup_steps: Steps in which the rate rises to its highest.
        weight_decay: Of every weight but embeddings, biases and normalisations.
        table_updates: Of embedding tables: `dense` is AdamW as in the books; `lazy`
            touches only the rows that a batch looked up, for tables of millions.
        clip_norm: Gradients are scaled down to this global norm.
        patience: Epochs without a better validation NDCG@10 before training stops.
        stop_on: Whose NDCG@10 that is: `student`, `teacher`, or the mean of `both`.
            The teacher's costs a generation of every validation list an epoch.
        precision: Keras' dtype policy; weights stay float32 in all of them.
        strategy: `none` for one device, `mirrored` for all devices of this host,
            `multi_worker` for the hosts in TF_CONFIG.
        epoch_steps: Steps of an epoch, after which the model is validated and backed
            up; 0 for one pass over the training lists.
        seed: Of initial weights, order of lists, dropout and masks.
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 0
    weight_decay: float = 1e-2
    table_updates: str = "dense"
    clip_norm: float = 1.0
    patience: int = 5
    stop_on: str = "student"
    precision: str = "float32"
    strategy: str = "none"
    epoch_steps: int = 0
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size", "learning_rate", "patience", "clip_norm"):
            if getattr(self, name) <= 0:
                raise ConfigError(
                    f"training: {name}={getattr(self, name)} must be positive"
                )
        for name in ("warmup_steps", "weight_decay", "epoch_steps"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"training: {name}={getattr(self, name)} must be 0 or more"
                )
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"training: {name}={getattr(self, name)!r} must be one of {known}"
                )


def training_config(choices: Mapping[str, Any], seed: int) -> TrainingConfig:
    """A configuration from some of its fields, and the run's seed.

    Raises:
        ConfigError: A field is unknown, or a value is out of range.
    """
    known = [f.name for f in fields(TrainingConfig) if f.name != "seed"]
    if unknown := sorted(set(choices) - set(known)):
        raise ConfigError(f"training: {unknown} are unknown; known: {known}")
    return TrainingConfig(**choices, seed=seed)
