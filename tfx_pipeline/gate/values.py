"""What models made of each test list, as arrays over lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from psad_tf import metrics

K = 10
BINS = 10


@dataclass(frozen=True)
class ListValues:
    """The test lists, one row a list.

    Args:
        candidate: float `[lists]`, NDCG@10 of the model; 0 where a score is no number.
        initial: float `[lists]`, NDCG@10 of the initial order.
        blessed: float `[lists]`, the same of the model that clients get now; None
            without one.
        is_finite: bool `[lists]`, true where all scores of the model are numbers.
        is_constant: bool `[lists]`, true where the model gives several candidates one
            score.
        excess: float `[lists, BINS]`, over a list's candidates whose click is predicted
            in a bin, the sum of prediction minus click; None where scores are no
            probabilities.
        candidates: int `[lists]`, how many the list has.
        groups: (partition, label) to bool `[lists]`, true for the group's lists.
    """

    candidate: np.ndarray
    initial: np.ndarray
    blessed: np.ndarray | None
    is_finite: np.ndarray
    is_constant: np.ndarray
    excess: np.ndarray | None
    candidates: np.ndarray
    groups: Mapping[tuple[str, str], np.ndarray]

    def __len__(self) -> int:
        return len(self.candidate)


def list_values(
    labels: np.ndarray,
    is_valid: np.ndarray,
    candidate: np.ndarray,
    blessed: np.ndarray | None = None,
    groups: Mapping[tuple[str, str], np.ndarray] | None = None,
    is_probability: bool = False,
) -> ListValues:
    """Measures some lists.

    Args:
        labels: `[lists, list]`, in the initial order.
        is_valid: bool `[lists, list]`.
        candidate: `[lists, list]`, the model's scores.
        blessed: `[lists, list]`, those of the model that clients get now.
        groups: (partition, label) to bool `[lists]`.
        is_probability: Whether the sigmoid of a score predicts the click.
    """
    scores, is_finite = _numbers(candidate, is_valid)
    initial = np.broadcast_to(-np.arange(labels.shape[1], dtype=float), labels.shape)
    counts = is_valid.sum(axis=1)
    return ListValues(
        _ndcg(labels, candidate, is_valid),
        metrics.ndcg(labels, initial, is_valid, K),
        None if blessed is None else _ndcg(labels, blessed, is_valid),
        is_finite,
        _is_constant(scores, is_valid) & (counts > 1),
        _excess(labels, scores, is_valid) if is_probability else None,
        counts,
        groups or {},
    )


def joined(parts: Sequence[ListValues], order: np.ndarray) -> ListValues:
    """Parts of the lists put together.

    Args:
        parts: With the same groups, all with or all without a blessed model.
        order: int `[lists]`, which list comes first, second, ...
    """

    def stacked(values):
        if values[0] is None:
            return None
        if isinstance(values[0], Mapping):
            return {key: stacked([v[key] for v in values]) for key in values[0]}
        return np.concatenate(values)[order]

    names = [f.name for f in fields(ListValues)]
    return ListValues(**{n: stacked([getattr(p, n) for p in parts]) for n in names})


def _numbers(scores, is_valid) -> tuple[np.ndarray, np.ndarray]:
    """Scores with 0 for padding and what is no number; which lists have none of it."""
    is_number = np.isfinite(scores)
    found = np.where(is_valid & is_number, scores, 0.0)
    return found, (is_number | ~is_valid).all(axis=1)


def _ndcg(labels, scores, is_valid) -> np.ndarray:
    found, is_finite = _numbers(scores, is_valid)
    return np.where(is_finite, metrics.ndcg(labels, found, is_valid, K), 0.0)


def _is_constant(scores, is_valid) -> np.ndarray:
    low = np.where(is_valid, scores, np.inf).min(axis=1)
    return low == np.where(is_valid, scores, -np.inf).max(axis=1)


def _excess(labels, scores, is_valid) -> np.ndarray:
    # Of large scores the exponential overflows to the right limit.
    with np.errstate(over="ignore"):
        predicted = 1 / (1 + np.exp(-scores))
    bins = np.minimum((predicted * BINS).astype(int), BINS - 1)
    difference = np.where(is_valid, predicted - (labels > 0), 0.0)
    return np.stack(
        [np.where(bins == b, difference, 0.0).sum(axis=1) for b in range(BINS)], axis=1
    )
