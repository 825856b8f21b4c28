"""LambdaMART: boosted trees on pairs weighted by what their swap changes in NDCG.

C. Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82, as
implemented by LightGBM's `lambdarank` objective (Ke et al., NeurIPS 2017). The rival
that a well-kept ranker without a neural network offers: it is given the same lists, and
what those say in features within the list (`lambdamart_features`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np

from psad_tf import tensors
from psad_tf.baselines.lambdamart_features import Arrays, Describer
from psad_tf.baselines.lambdamart_search import Rows, Trainer, Tried, draw, score
from psad_tf.config import PSADConfig
from psad_tf.features import FeatureSet

# Fewer tell a configuration from a worse one on fewer lists: trees that suit 10,000
# lists of a click world are not those that suit all 63,000.
SEARCH_LISTS = 30_000


@dataclass(frozen=True)
class LambdaMART:
    """The trained ranker.

    Args:
        booster: LightGBM's model.
        describer: Makes its rows.
        chosen: Its configuration, and what came of it on all training lists.
        tried: Every configuration of the search, in turn; empty without one.
        threads: For scoring.
    """

    booster: lightgbm.Booster
    describer: Describer
    chosen: Tried
    tried: Sequence[Tried]
    threads: int = 1

    def scores(self, arrays: Arrays, are_training: bool = False) -> np.ndarray:
        """Scores.

        Args:
            arrays: The input tensors of a split by name.
            are_training: Whether these are the training lists, see `Describer.rows`.

        Returns:
            float32 `[lists, list]`, higher is better; -inf on padding.
        """
        values, _ = self.describer.rows(arrays, are_training)
        is_valid = arrays[tensors.CANDIDATE_IS_VALID].astype(bool)
        return score(self.booster, values, is_valid, self.threads)


def train(
    config: PSADConfig | Mapping,
    features: FeatureSet,
    splits: Mapping[str, Arrays],
    seed: int = 0,
    trials: int = 30,
    threads: int = 1,
    search_lists: int = SEARCH_LISTS,
    unbiased: bool = False,
    values: Mapping | None = None,
) -> LambdaMART:
    """Tunes and trains.

    The budget: LightGBM's defaults and `trials - 1` configurations drawn at random,
    each of at most 1000 trees, stopped when validation NDCG@10 has not risen for 50 and
    cut at its best, taken over 11 rounds so that noise decides less.
    With more than `search_lists` training lists the search sees that many of them,
    drawn at random, and the best configuration is trained again on all. The test split
    is not looked at.

    Args:
        config: Sizes of the input tensors.
        features: The data set's features.
        splits: `train` and `validation`, each the input tensors and `label` by name.
        seed: Of folds, draws and trees; the same seed gives the same model.
        trials: Configurations that are tried.
        threads: Of LightGBM.
        search_lists: Training lists of the search.
        unbiased: Whether LightGBM fits a bias of each place beside the trees. That
            serves true relevance and costs NDCG of logged clicks, which repeat the bias
            of the order they were logged in.
        values: A configuration that was chosen before, `chosen.values`: it is trained,
            and nothing is searched.

    Raises:
        ValueError: A number is below 1, a split has no list, or no list has a click.
    """
    for name, value in (("trials", trials), ("search_lists", search_lists)):
        if value < 1:
            raise ValueError(f"{name}={value}; it must be at least 1")
    training = splits["train"]
    describer = Describer(PSADConfig.of(config), features, training, seed)
    whole = Rows.of(describer, training, are_training=True)
    validation = Rows.of(describer, splits["validation"])
    fixed = {"seed": seed, "num_threads": threads}
    columns, tried = describer.categorical(), []
    if values is None:
        random = np.random.default_rng(seed)
        part = whole.some(np.sort(random.permutation(len(whole.label))[:search_lists]))
        search = Trainer(part, validation, columns, fixed, unbiased)
        found = [search.run(drawn) for drawn in draw(random, trials)]
        booster, chosen = max(found, key=lambda pair: pair[1].ndcg)
        tried = [t for _, t in found]
        if part is whole:
            return LambdaMART(booster, describer, chosen, tried, threads)
        values = chosen.values
    full = Trainer(whole, validation, columns, fixed, unbiased)
    booster, chosen = full.run(values)
    return LambdaMART(booster, describer, chosen, tried, threads)
