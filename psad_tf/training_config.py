"""How a model is trained; light to import, so that a run can check it first."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from psad_tf.errors import ConfigError


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Args:
        epochs: The most passes over the training lists.
        batch_size: Lists a step.
        learning_rate: Adam's, at the start; it falls to zero along a cosine.
        weight_decay: Of every weight but embeddings, biases and normalisations.
        clip_norm: Gradients are scaled down to this global norm.
        patience: Epochs without a better validation NDCG@10 before training stops.
        seed: Of initial weights, order of lists, dropout and masks.
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    patience: int = 5
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size", "learning_rate", "patience"):
            if getattr(self, name) <= 0:
                raise ConfigError(
                    f"training: {name}={getattr(self, name)} must be positive"
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
