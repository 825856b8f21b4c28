"""The search for each method's hyperparameters: the same budget for all of them."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import qmc

from psad_tf.baselines.registry import RERANKERS, reranker
from psad_tf.bench.trial import Decoding, Trial

# Times the preset's learning rate, side by side in one program.
RATES = (0.25, 0.5, 1.0, 2.0)
DROPOUTS = (0.0, 0.1, 0.2, 0.3)
DRAWS = 5  # Of everything else; the first one is the method as it is.
SEED = 100  # No seed that is reported.


@dataclass(frozen=True)
class Method:
    """A method of the comparison.

    Args:
        name: Of its trials; a kind of `Trial`.
        rows: Branches to read it out by and the row they make, of which the best on
            validation lists stands for it; empty is all readouts, and one row.
        title: Of the row, where `rows` is empty.
        search: Its own hyperparameters to the values that are tried.
        of_config: Whether those are fields of `PSADConfig`, or of its own.
        decodings: For PSAD.
    """

    name: str
    title: str
    search: Mapping[str, Sequence] = field(default_factory=dict)
    of_config: bool = False
    decodings: tuple[Decoding, ...] = (Decoding(),)


PSAD = Method(
    "psad",
    "PSAD",
    {"distillation_weight": (0.1, 0.5, 2.0), "generation_weight": (0.3, 1.0)},
    of_config=True,
    decodings=(
        Decoding(),
        Decoding("prm_dcg", 4, "dcg"),
        Decoding("prm_clicks", 4, "clicks"),
    ),
)


def methods(names: Sequence[str] | None = None) -> list[Method]:
    """The trained methods of the comparison.

    Args:
        names: Those that are wanted; None is all.
    """
    found = [PSAD]
    for name in RERANKERS:
        kind = reranker(name)
        found.append(Method(name, kind.title, kind.search))
    return [m for m in found if names is None or m.name in names]


def searches(
    method: Method, usual: float, draws: int = DRAWS, rates=RATES, **limits
) -> list[Trial]:
    """The trials that try a method's configurations, `len(rates)` in each.

    Args:
        method: What is tuned.
        usual: The learning rate of the data set's preset.
        draws: Different settings of everything but the learning rate.
        rates: Times the usual rate.
        **limits: Further fields of every trial.
    """
    space = {"dropout": DROPOUTS, **method.search}
    # Spread evenly: no value of a hyperparameter comes more often than its share.
    seed = zlib.crc32(method.name.encode())
    drawn = qmc.LatinHypercube(len(space), rng=seed).random(draws - 1)
    settings = [
        {k: v[int(u * len(v))] for (k, v), u in zip(space.items(), row, strict=True)}
        for row in drawn
    ]
    return [
        trial(
            method,
            chosen,
            f"{method.name}-{i}",
            seeds=(SEED,) * len(rates),
            rates=tuple(usual * rate for rate in rates),
            splits=(),
            **limits,
        )
        for i, chosen in enumerate([{}, *settings])
    ]


def trial(method: Method, chosen: Mapping[str, Any], name: str, **others) -> Trial:
    """A trial of a method under chosen hyperparameters, by name."""
    is_of_config = {k: method.of_config or k == "dropout" for k in chosen}
    return Trial(
        name,
        method.name,
        model={k: v for k, v in chosen.items() if is_of_config[k]},
        options={k: v for k, v in chosen.items() if not is_of_config[k]},
        **others,
    )


@dataclass(frozen=True)
class Chosen:
    """What a search found.

    Args:
        trial: The best configuration's search trial.
        learning_rate: The best.
        ndcg: Its validation NDCG@10, at its best epoch.
        tried: Configurations.
    """

    trial: Trial
    learning_rate: float
    ndcg: float
    tried: int

    def final(self, **fields) -> Trial:
        """The chosen configuration, to be trained under the seeds that are reported.

        Args:
            fields: Of the trial: `name`, `seeds`, `splits` and more.
        """
        training = {**self.trial.training, "learning_rate": self.learning_rate}
        changes = {"rates": None, "train_lists": None, "training": training, **fields}
        return self.trial.of(**changes)


def choose(trials: Sequence[Trial], curves: Sequence[Mapping]) -> Chosen:
    """The configuration with the best validation NDCG@10 at any epoch.

    Args:
        trials: From `searches`.
        curves: Of each trial, its last stage's branches to `[rates, epochs]`.
    """
    each = [np.mean([*c.values()], axis=0).max(axis=1) for c in curves]
    found = np.nan_to_num(np.array(each), nan=-np.inf)
    at, rate = np.unravel_index(found.argmax(), found.shape)
    return Chosen(
        trials[at], trials[at].rates[rate], float(found[at, rate]), found.size
    )
