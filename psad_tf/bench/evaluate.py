"""What an order is worth: ranking metrics, and true utility where the world is known.

Every value is float32 `[lists]`, so that models can be compared list by list.
"""

import numpy as np

from psad_tf import metrics
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, Bundle
from psad_tf.data.click_world.clicks import utility_of_order

CUT = 10  # Items that count in NDCG@10, MAP@10 and utility.


def scores_of_order(order: np.ndarray) -> np.ndarray:
    """Scores that sort as an order does.

    Args:
        order: int `[lists, list]`, candidates in order, -1 past the end.

    Returns:
        float32 `[lists, list]`, higher is better, lowest for what is not in the order.
    """
    scores = np.full(order.shape, -np.inf, np.float32)
    row, place = np.nonzero(order >= 0)
    scores[row, order[row, place]] = -place
    return scores


def order_of_scores(scores: np.ndarray, is_valid: np.ndarray) -> np.ndarray:
    """The candidates from the best score down: int32 `[lists, list]`, -1 past the end.

    Args:
        scores: float `[lists, list]`; ties keep the input order.
        is_valid: bool `[lists, list]`.
    """
    keys = np.where(is_valid, -scores, np.inf)
    order = np.argsort(keys, axis=1, kind="stable").astype(np.int32)
    place = np.arange(order.shape[1])
    return np.where(place < is_valid.sum(axis=1, keepdims=True), order, -1)


def evaluate(bundle: Bundle, split: str, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Metrics of each list under some scores.

    Args:
        bundle: The data.
        split: Which lists.
        scores: float `[lists, list]`, higher is better.

    Returns:
        `ndcg` and `map` of the first ten, by the clicks of the log; `utility`, the
        expected clicks on the first ten, for a simulated world.
    """
    label, is_valid = bundle.label(split), bundle.is_valid(split)
    found = {
        "ndcg": metrics.ndcg(label, scores, is_valid, CUT),
        "map": metrics.average_precision(label, scores, is_valid, CUT),
    }
    if bundle.is_simulated:
        order = order_of_scores(scores, is_valid)[:, :CUT]
        found["utility"] = utility(bundle, split, order)
    return {name: values.astype(np.float32) for name, values in found.items()}


def utility(bundle: Bundle, split: str, order: np.ndarray) -> np.ndarray:
    """Expected clicks of orders in a simulated world: float64 `[lists]`.

    Args:
        bundle: A simulated world's data.
        split: Which lists.
        order: int `[lists, slate]`, -1 past the end.
    """
    columns = bundle.splits[split]
    vectors = bundle.vectors[columns[ITEM_INDEX]]
    relevance = columns[RELEVANCE]
    return utility_of_order(
        relevance, vectors, bundle.is_valid(split), bundle.eta, order
    )
