"""The random search over LightGBM's settings, each judged by validation NDCG@10."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from psad_tf import tensors
from psad_tf.baselines.lambdamart_features import Arrays, Describer

K = 10
MOST_ROUNDS, PATIENCE = 1000, 50
# Rounds over which validation NDCG@10 is averaged, so that chance picks fewer.
WINDOW = 11
KINDS = ("ids", "rates")


@dataclass(frozen=True)
class Tried:
    """A configuration of the search.

    Args:
        values: What was drawn, by LightGBM's names, and `without` (see `draw`).
        rounds: Trees up to the best validation NDCG@10, see `Trainer.run`.
        ndcg: That NDCG@10, the mean over the validation lists and the rounds around.
    """

    values: Mapping[str, Any]
    rounds: int
    ndcg: float


def draw(random: np.random.Generator, trials: int) -> Iterator[dict]:
    """Configurations: first LightGBM's defaults, then draws around them.

    Whether columns of ids and of click rates help depends on how much data there is,
    so `without` names the kinds (of `KINDS`) that a configuration does not look at.
    """
    yield {"without": ()}

    def log(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    for _ in range(trials - 1):
        yield {
            "without": tuple(kind for kind in KINDS if random.integers(2)),
            "learning_rate": log(0.01, 0.2),
            "num_leaves": round(log(4, 128)),
            "min_data_in_leaf": round(log(10, 500)),
            "feature_fraction": random.uniform(0.3, 1),
            "bagging_fraction": random.uniform(0.5, 1),
            "bagging_freq": 1,
            "lambda_l2": log(1e-3, 100),
            "lambdarank_truncation_level": int(random.choice([5, 10, 20, 30])),
            "lambdarank_norm": bool(random.integers(2)),
        }


@dataclass(frozen=True)
class Rows:
    """A split as LightGBM takes it.

    Args:
        values: float32 `[lists, list, F]`.
        label: `[lists, list]`.
        is_valid: bool `[lists, list]`.
        names: Of the F columns.
    """

    values: np.ndarray
    label: np.ndarray
    is_valid: np.ndarray
    names: Sequence[str]

    @classmethod
    def of(cls, describer: Describer, arrays: Arrays, are_training: bool = False):
        values, names = describer.rows(arrays, are_training)
        is_valid = arrays[tensors.CANDIDATE_IS_VALID].astype(bool)
        return cls(values, arrays[tensors.LABEL], is_valid, names)

    def some(self, lists: np.ndarray) -> "Rows":
        if len(lists) == len(self.label):
            return self
        parts = (x[lists] for x in (self.values, self.label, self.is_valid))
        return Rows(*parts, self.names)

    def places(self) -> np.ndarray:
        """The place of each valid candidate in the order that was shown."""
        place = np.arange(self.label.shape[1])
        return np.broadcast_to(place, self.label.shape)[self.is_valid]

    def dataset(self, **options) -> lightgbm.Dataset:
        return lightgbm.Dataset(
            self.values[self.is_valid],
            (self.label[self.is_valid] > 0).astype(np.int32),
            group=self.is_valid.sum(1),
            feature_name=list(self.names),
            **options,
        )


class Trainer:
    """Trains configurations on the same bins.

    Args:
        training: The rows to learn from.
        validation: The rows that say when to stop.
        categorical: The names of the columns of ids.
        fixed: LightGBM's parameters that every configuration has.
        unbiased: Whether the training learns apart what a place alone does to clicks.
    """

    def __init__(
        self,
        training: Rows,
        validation: Rows,
        categorical: Sequence[str],
        fixed: Mapping,
        unbiased: bool = False,
    ):
        self.kinds = [name.partition("/")[0] for name in training.names]
        has_click = ((validation.label > 0) & validation.is_valid).any(1)
        self.clickless = 1 - has_click.mean()
        self.fixed = {
            "objective": "lambdarank",
            "metric": "ndcg",
            "eval_at": [K],
            "deterministic": True,
            "force_row_wise": True,
            # Else the first configuration's min_data_in_leaf decides for all.
            "feature_pre_filter": False,
            "verbosity": -1,
            **fixed,
        }
        self.training_data = training.dataset(
            categorical_feature=list(categorical),
            params=self.fixed,
            position=training.places() if unbiased else None,
        )
        self.validation_data = validation.dataset(reference=self.training_data)

    def run(self, values: Mapping) -> tuple[lightgbm.Booster, Tried]:
        """Trains one configuration.

        A single round's NDCG@10 goes up and down by more than most configurations
        differ. The best round is the one with the best mean over `WINDOW` rounds around
        it, and that mean is what the configuration is judged by.
        """
        given = {k: v for k, v in values.items() if k != "without"}
        # A split by such a column gains nothing, so there is none.
        given["feature_contri"] = [
            float(k not in values["without"]) for k in self.kinds
        ]
        curves = {}
        booster = lightgbm.train(
            {**self.fixed, **given},
            self.training_data,
            num_boost_round=MOST_ROUNDS,
            valid_sets=[self.validation_data],
            # Else the trees after LightGBM's own best round are gone.
            keep_training_booster=True,
            callbacks=[
                lightgbm.early_stopping(PATIENCE, verbose=False),
                lightgbm.record_evaluation(curves),
            ],
        )
        smooth = smoothed(curves["valid_0"][f"ndcg@{K}"])
        rounds = int(np.argmax(smooth)) + 1
        # LightGBM gives a list without a click the value 1; here it is 0.
        ndcg = float(smooth[rounds - 1] - self.clickless)
        text = booster.model_to_string(num_iteration=rounds)
        return lightgbm.Booster(model_str=text), Tried(dict(values), rounds, ndcg)


def smoothed(curve: Sequence[float]) -> np.ndarray:
    """The mean of the `WINDOW` values around each; of fewer at the ends."""
    near = np.ones(WINDOW)
    count = np.convolve(np.ones(len(curve)), near, "full")
    found = np.convolve(curve, near, "full") / count
    return found[WINDOW // 2 :][: len(curve)]


def score(booster, values, is_valid, threads: int) -> np.ndarray:
    """Scores of rows `[lists, list, F]`: float32 `[lists, list]`, -inf on padding."""
    found = np.full(is_valid.shape, -np.inf, np.float32)
    found[is_valid] = booster.predict(values[is_valid], num_threads=threads)
    return found
