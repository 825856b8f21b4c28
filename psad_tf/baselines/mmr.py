"""MMR: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)."""

from collections.abc import Sequence

import numpy as np

from psad_tf import metrics

# What `tune` tries, as many as every method's search; 1 is the order by relevance.
TRADE_OFFS = tuple(part / 20 for part in range(1, 21))
_CUT = 10


def mmr_order(relevance, similarity, is_valid, trade_off) -> np.ndarray:
    """Orders in which each item is relevant and unlike those above it.

        next = argmax over items i that are left of
               trade_off relevance_i
               - (1 - trade_off) max over chosen items k of similarity_ik

    The first one is the most relevant. Ties keep the initial order. The two terms are
    taken as they are: bring them to one scale with `scaled`.

    >>> similarity = np.array([[[1, 1, 0], [1, 1, 0], [0, 0, 1]]])
    >>> mmr_order([[1.0, 0.9, 0.5]], similarity, np.ones((1, 3), bool), trade_off=0.5)
    array([[0, 2, 1]], dtype=int32)

    Args:
        relevance: float `[lists, list]`, such as the first stage's scores.
        similarity: float `[lists, list, list]`.
        is_valid: bool `[lists, list]`.
        trade_off: Lambda, in 0..1; 1 is the order by relevance.

    Returns:
        int32 `[lists, list]`, candidates in order, -1 past the list's end.

    Raises:
        ValueError: `trade_off` is out of range, or shapes do not fit.
    """
    relevance = np.asarray(relevance, dtype=np.float64)
    similarity = np.asarray(similarity, dtype=np.float64)
    is_valid = np.asarray(is_valid, dtype=bool)
    _check(relevance, similarity, is_valid, trade_off)
    lists, length = relevance.shape
    rows = np.arange(lists)
    penalty = np.zeros_like(relevance)
    is_left = is_valid.copy()
    order = np.full((lists, length), -1, np.int32)
    for place in range(length):
        worth = marginal_worth(relevance, penalty, trade_off)
        worth = np.where(is_left, worth, -np.inf)
        item = worth.argmax(axis=1)
        order[:, place] = np.where(is_left.any(axis=1), item, -1)
        is_left[rows, item] = False
        nearest = similarity[rows, item]
        penalty = np.maximum(penalty, nearest) if place else nearest
    return order


def marginal_worth(relevance, nearest, trade_off):
    """What the next place would gain by each item; `mmr_order` takes the best.

        trade_off relevance - (1 - trade_off) nearest

    >>> float(marginal_worth(0.75, 0.5, trade_off=0.5))
    0.125

    Args:
        relevance: float, of any shape.
        nearest: Of the same shape, each item's similarity to the most similar one that
            is chosen; 0 while none is.
        trade_off: Lambda, in 0..1.
    """
    return trade_off * relevance - (1 - trade_off) * nearest


def tune(
    relevance, similarity, is_valid, label, grid: Sequence[float] = TRADE_OFFS
) -> tuple[float, dict[float, float]]:
    """The trade-off with the best NDCG@10; give it validation lists.

    Args:
        relevance, similarity, is_valid: As for `mmr_order`.
        label: `[lists, list]`, above 0 for a click.
        grid: Trade-offs to try; of equal ones the largest wins, which is nearest to
            relevance alone.

    Returns:
        The best trade-off, and each one's NDCG@10.
    """
    if not grid:
        raise ValueError(f"grid={grid!r}; give at least one trade-off")
    found = {}
    for trade_off in sorted(grid, reverse=True):
        order = mmr_order(relevance, similarity, is_valid, trade_off)
        scores = metrics.order_scores(order, order.shape[1])
        found[trade_off] = float(metrics.ndcg(label, scores, is_valid, _CUT).mean())
    return max(found, key=found.get), found


def scaled(relevance, is_valid) -> np.ndarray:
    """Each list's relevance from 0, its lowest, to 1: the scale of similarities.

    Args:
        relevance: float `[lists, list]`.
        is_valid: bool `[lists, list]`.

    Returns:
        float64 `[lists, list]`, 0 on padding, and where all of a list are equal.
    """
    relevance = np.asarray(relevance, dtype=np.float64)
    is_valid = np.asarray(is_valid, dtype=bool)
    low = np.where(is_valid, relevance, np.inf).min(axis=1, keepdims=True)
    high = np.where(is_valid, relevance, -np.inf).max(axis=1, keepdims=True)
    is_spread = is_valid & (high > low)
    above = np.where(is_spread, relevance, 0.0) - np.where(is_spread, low, 0.0)
    return above / np.where(high > low, high - low, 1.0)


def category_similarity(ids) -> np.ndarray:
    """The share of categories that each pair of a list's items has in common.

        |A and B| / |A or B|

    Args:
        ids: int `[lists, list, columns]`, an item's categories, 0 for none.

    Returns:
        float64 `[lists, list, list]`; 0 where neither has one.
    """
    ids = np.asarray(ids)
    # An id that stands twice counts once.
    before = np.tri(ids.shape[-1], k=-1, dtype=bool)
    is_again = ((ids[..., :, None] == ids[..., None, :]) & before).any(axis=-1)
    is_own = (ids > 0) & ~is_again
    mine, its = ids[:, :, None, :, None], ids[:, None, :, None, :]
    is_same = (mine == its) & is_own[:, :, None, :, None]
    common = (is_same & is_own[:, None, :, None, :]).sum(axis=(3, 4))
    count = is_own.sum(axis=-1)
    either = count[:, :, None] + count[:, None, :] - common
    return common / np.maximum(either, 1)


def _check(relevance, similarity, is_valid, trade_off) -> None:
    if not 0 <= trade_off <= 1:
        raise ValueError(f"trade_off={trade_off}; it must lie in 0..1")
    lists, length = is_valid.shape
    if relevance.shape != (lists, length) or similarity.shape != (
        lists,
        length,
        length,
    ):
        raise ValueError(
            f"relevance {relevance.shape} and similarity {similarity.shape} do not fit "
            f"is_valid {is_valid.shape}"
        )
    # A NaN would win every comparison, and with it the first place.
    for name, values in (("relevance", relevance), ("similarity", similarity)):
        seen = is_valid if values.ndim == 2 else is_valid[:, None] & is_valid[..., None]
        if np.isnan(values[seen]).any():
            row = int(np.argmax((np.isnan(values) & seen).reshape(lists, -1).any(1)))
            raise ValueError(f"list {row} has a NaN in {name}; it has no order")
