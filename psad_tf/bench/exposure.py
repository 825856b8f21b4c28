"""What an order shows: how different its items are, and how popular."""

import numpy as np
from scipy import stats

from psad_tf import tensors
from psad_tf.baselines.mmr import category_similarity
from psad_tf.bench.bundle import Bundle
from psad_tf.feature_sets import feature_set


def exposure(bundle: Bundle, split: str, order: np.ndarray) -> dict[str, np.ndarray]:
    """Diversity and popularity of the items that stand in an order.

    Args:
        bundle: The data.
        split: Which lists.
        order: int `[lists, slate]`, candidates in order, -1 past the end.

    Returns:
        float64 `[lists]` each: `ild`, the intra-list distance, the mean over pairs of 1
        less the Jaccard similarity of their categories (0 for a single item);
        `coverage`, the share of the candidates' categories that are there; and
        `popularity`, the mean percentile of an item's count among the candidates of the
        training lists.
    """
    is_shown, at = order >= 0, np.maximum(order, 0)
    ids = categories(bundle, split)
    shown = np.take_along_axis(ids, at[..., None], axis=1) * is_shown[..., None]
    items = bundle.splits[split][tensors.CANDIDATE_IDS][..., 0].astype(int)
    found = percentiles(bundle)[np.take_along_axis(items, at, axis=1)]
    return {
        "ild": _distance(shown, is_shown),
        "coverage": _count(shown) / np.maximum(_count(ids), 1),
        "popularity": (found * is_shown).sum(axis=1)
        / np.maximum(is_shown.sum(axis=1), 1),
    }


def categories(bundle: Bundle, split: str) -> np.ndarray:
    """The candidates' categories: int `[lists, list, columns]`, 0 for none."""
    features = feature_set(bundle.dataset)
    fields = [f.name for f in features.item if f.kind.is_id]
    at, widths = fields.index(features.category), bundle.sizes["item_widths"]
    first = sum(widths[:at])
    columns = bundle.splits[split][tensors.CANDIDATE_IDS]
    found = columns[..., first : first + widths[at]].astype(int)
    return found * bundle.is_valid(split)[..., None]


def percentiles(bundle: Bundle) -> np.ndarray:
    """How often an item is a candidate in training lists: float `[item ids]`, 0 to 1.

    Items that share a count share the mean of their ranks; one never seen has 0.
    """
    train = bundle.splits["train"]
    is_valid = bundle.is_valid("train")
    ids = train[tensors.CANDIDATE_IDS][..., 0][is_valid].astype(int)
    counts = np.bincount(ids, minlength=bundle.sizes["item_rows"])
    (known,) = np.nonzero(counts)
    found = np.zeros(len(counts))
    found[known] = stats.rankdata(counts[known]) / len(known)
    return found


def _count(ids):
    """Different categories of each list."""
    ids = np.sort(ids.reshape(len(ids), -1), axis=1)
    is_new = np.diff(ids, axis=1, prepend=0) > 0
    return is_new.sum(axis=1)


def _distance(shown, is_shown):
    is_other = ~np.eye(shown.shape[1], dtype=bool)
    is_pair = is_shown[:, :, None] & is_shown[:, None] & is_other
    pairs = is_pair.sum(axis=(1, 2))
    total = ((1 - category_similarity(shown)) * is_pair).sum(axis=(1, 2))
    return np.divide(total, pairs, out=np.zeros(len(total)), where=pairs > 0)
