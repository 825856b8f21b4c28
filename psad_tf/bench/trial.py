"""What a bench tries: a model, how it is trained, how its teacher is read out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from psad_tf.baselines.registry import RERANKERS
from psad_tf.errors import ConfigError

# psad: both branches. scorer: the student alone, taught by nobody. offline: a student
# with an encoder of its own, taught by a teacher that was trained before.
BRANCHES = ("psad", "scorer", "offline")
KINDS = (*BRANCHES, *RERANKERS)
EVALUATORS = (None, "dcg", "clicks")


@dataclass(frozen=True)
class Decoding:
    """How the teacher's order is chosen.

    Args:
        name: Of this way; `teacher` is the one that leads.
        beam_width: Orders kept.
        evaluator: What the best beam is picked by: log-probability (None), or PRM's
            click probabilities, discounted (`dcg`) or not (`clicks`).
        refine_size: Slots predicted again; None is the model's.
    """

    name: str = "teacher"
    beam_width: int = 1
    evaluator: str | None = None
    refine_size: int | None = None

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
        kind: One of `KINDS`: a branch of PSAD, or a baseline by its registered name.
        model: Fields of `PSADConfig` that differ from the data set's preset.
        training: Fields of `TrainingConfig` that differ from it.
        decodings: Ways to read the teacher out, for `psad`.
        seeds: Of weights, order of lists, dropout and masks.
        splits: What is measured: studies look at validation lists alone.
        options: Arguments of a baseline's own.
        rates: Learning rates, one for each of `seeds`; None is the preset's for all.
        is_whole: Whether every measure is taken on the last of `splits`, or those alone
            that studies compare.
        train_lists: The most training lists, see `Bundle.with_last`; None is all.
    """

    name: str
    kind: str = "psad"
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    decodings: tuple[Decoding, ...] = (Decoding(),)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    splits: tuple[str, ...] = ("validation",)
    options: Mapping[str, Any] = field(default_factory=dict)
    rates: tuple[float, ...] | None = None
    is_whole: bool = False
    train_lists: int | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ConfigError(
                f"trial {self.name!r}: kind={self.kind!r}; it must be one of {KINDS}"
            )
        if self.rates is not None and len(self.rates) != len(self.seeds):
            raise ConfigError(
                f"trial {self.name!r}: rates={self.rates} for seeds={self.seeds}; give "
                "each seed a rate"
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
        pooled: `split/branch/metric` to `[seeds]`, metrics of all lists as one.
        curves: Branch to validation NDCG@10 `[seeds, epochs]`, of the last stage.
        best_epoch: Of each seed, counted from 1; its weights were measured.
        parameters: Weights of one model.
        seconds: Of the whole trial, compilation included.
    """

    trial: Trial
    per_list: dict[str, np.ndarray]
    pooled: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    best_epoch: np.ndarray
    parameters: int
    seconds: float

    def summary(self) -> dict:
        """Plain values: the trial, each metric's mean for each seed, the curves."""
        return {
            "trial": asdict(self.trial),
            "means": {k: v.mean(axis=1).tolist() for k, v in self.per_list.items()},
            "pooled": {k: v.tolist() for k, v in self.pooled.items()},
            "curves": {k: v.tolist() for k, v in self.curves.items()},
            "best_epoch": self.best_epoch.tolist(),
            "parameters": self.parameters,
            "seconds": self.seconds,
        }
