"""What a bench tries: a model, how it is trained, how its teacher is read out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from psad_tf.errors import ConfigError

# psad: both branches. scorer: the student alone, taught by nobody. offline: a student
# with an encoder of its own, taught by a teacher that was trained before. prm: PRM.
KINDS = ("psad", "scorer", "offline", "prm")
EVALUATORS = (None, "dcg", "clicks")


@dataclass(frozen=True)
class Decoding:
    """How the teacher's order is chosen.

    Args:
        name: Of this way; `teacher` is the one that leads.
        beam_width: Orders kept.
        evaluator: What the best beam is picked by: log-probability (None), or PRM's
            click probabilities, discounted (`dcg`) or not (`clicks`).
        changes: Fields of `PSADConfig` to change, such as `refine_size`.
    """

    name: str = "teacher"
    beam_width: int = 1
    evaluator: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.evaluator not in EVALUATORS:
            raise ConfigError(
                f"decoding {self.name!r}: evaluator={self.evaluator!r}; it must be one "
                f"of {EVALUATORS}"
            )


@dataclass(frozen=True)
class Trial:
    """What is trained and how it is measured.

    Args:
        name: Unique in a bench.
        kind: One of `KINDS`.
        model: Fields of `PSADConfig` that differ from the data set's preset.
        training: Fields of `TrainingConfig` that differ from it.
        decodings: Ways to read the teacher out, for `psad`.
        seeds: Of weights, order of lists, dropout and masks.
        splits: What is measured: studies look at validation lists alone.
        loss: PRM's.
        history: Whether PRM's personal vector knows the history.
        train_lists: The most training lists, see `Bundle.first`; None is all.
    """

    name: str
    kind: str = "psad"
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    decodings: tuple[Decoding, ...] = (Decoding(),)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    splits: tuple[str, ...] = ("validation",)
    loss: str = "softmax"
    history: bool = True
    train_lists: int | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ConfigError(
                f"trial {self.name!r}: kind={self.kind!r}; it must be one of {KINDS}"
            )

    @property
    def needs_evaluator(self) -> bool:
        return any(d.evaluator for d in self.decodings)

    def of(self, **changes) -> "Trial":
        """The same trial with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Args:
        trial: What was done.
        per_list: `split/branch/metric` to float32 `[seeds, lists]`.
        curves: Branch to validation NDCG@10 `[seeds, epochs]`.
        best_epoch: Of each seed, counted from 1; its weights were measured.
        seconds: Of the whole trial, compilation included.
    """

    trial: Trial
    per_list: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    best_epoch: np.ndarray
    seconds: float

    def summary(self) -> dict:
        """Plain values: the trial, each metric's mean for each seed, the curves."""
        return {
            "trial": asdict(self.trial),
            "means": {k: v.mean(axis=1).tolist() for k, v in self.per_list.items()},
            "curves": {k: v.tolist() for k, v in self.curves.items()},
            "best_epoch": self.best_epoch.tolist(),
            "seconds": self.seconds,
        }
