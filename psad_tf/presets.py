"""What was found to work on each data set, by NDCG@10 on its validation lists.

Anything not named here is the default of `PSADConfig` and `TrainingConfig`; the
configuration of a pipeline overrides both.
"""

from typing import Any

# MovieLens-100K has some 3,700 training lists: one layer and much dropout generalise
# better than two layers, and the first few epochs are the best.
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "movielens_100k": {
        "model": {"num_layers": 1, "dropout": 0.2, "id_dropout": 0.3},
        "training": {"epochs": 6, "patience": 3, "learning_rate": 1e-3},
    }
}


def preset(dataset: str, kind: str) -> dict[str, Any]:
    """The choices for a data set.

    Args:
        dataset: The feature set's name.
        kind: `model` or `training`.
    """
    return PRESETS.get(dataset, {}).get(kind, {})
