"""What an order is worth: ranking metrics, and true utility where the world is known.

Every value is float32 `[lists]`, so that models can be compared list by list.
"""

import numpy as np
from scipy import stats

from psad_tf import metrics
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, Bundle
from psad_tf.bench.exposure import exposure
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


def evaluate(
    bundle: Bundle, split: str, scores: np.ndarray, is_whole: bool = False
) -> dict[str, np.ndarray]:
    """Metrics of each list under some scores.

    Args:
        bundle: The data.
        split: Which lists.
        scores: float `[lists, list]`, higher is better.
        is_whole: Whether to take every measure.

    Returns:
        `ndcg` and `map` of the first ten, by the clicks of the log; `utility`, the
        expected clicks on the first ten, for a simulated world. The whole has `ndcg`
        and `map` of the first five (`ndcg_at_5`, `map_at_5`), `map_relevant` of the
        first ten, whose denominator is the clicks there could be, and what
        `psad_tf.bench.exposure` says of the first ten.
    """
    label, is_valid = bundle.label(split), bundle.is_valid(split)
    found = {
        "ndcg": metrics.ndcg(label, scores, is_valid, CUT),
        "map": metrics.average_precision(label, scores, is_valid, CUT),
    }
    order = order_of_scores(scores, is_valid)[:, :CUT]
    if is_whole:
        found |= {
            "ndcg_at_5": metrics.ndcg(label, scores, is_valid, 5),
            "map_at_5": metrics.average_precision(label, scores, is_valid, 5),
            "map_relevant": metrics.average_precision(
                label, scores, is_valid, CUT, "relevant"
            ),
            **exposure(bundle, split, order),
        }
    if bundle.is_simulated:
        found["utility"] = utility(bundle, split, order)
    return {name: values.astype(np.float32) for name, values in found.items()}


def click_prediction(bundle: Bundle, split: str, logits) -> dict[str, float]:
    """How well logits predict the clicks of all candidates of all lists.

    Args:
        bundle: The data.
        split: Which lists.
        logits: float `[lists, list]`, of click probabilities.

    Returns:
        `auc`, how often a clicked candidate, of any list, has the higher logit than
        one not clicked; and `log_loss`, in nats a candidate.
    """
    is_valid = bundle.is_valid(split)
    is_click = bundle.label(split)[is_valid] > 0
    logits = np.asarray(logits, np.float64)[is_valid]
    pairs = is_click.sum() * (~is_click).sum()
    wins = stats.mannwhitneyu(logits[is_click], logits[~is_click]).statistic
    loss = np.logaddexp(0, np.where(is_click, -logits, logits)).mean()
    return {"auc": float(wins / pairs), "log_loss": float(loss)}


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
