"""One bootstrap over lists for all figures at once, so that they move together."""

from typing import NamedTuple

import numpy as np

from psad_tf.metrics import bootstrap_draws


class Estimate(NamedTuple):
    """A figure with the one-sided ends of its interval."""

    value: float
    low: float
    high: float


def resampled_sums(columns, resamples: int, seed: int = 0) -> np.ndarray:
    """Sums over lists that are drawn with replacement.

    The draws are those of `psad_tf.metrics.paired_bootstrap`; here they are counted
    once and serve all columns by a matrix product.

    Args:
        columns: `[lists, columns]`, finite.
        resamples: How often the lists are drawn.
        seed: Of the draws.

    Returns:
        float64 `[resamples, columns]`.
    """
    columns = np.asarray(columns, np.float64)
    size, found = len(columns), []
    for drawn in bootstrap_draws(size, resamples, seed):
        places = drawn + size * np.arange(len(drawn))[:, None]
        counts = np.bincount(places.ravel(), minlength=drawn.size)
        found.append(counts.reshape(drawn.shape).astype(np.float64) @ columns)
    return np.concatenate(found)


def estimate(value: float, resampled: np.ndarray, level: float) -> Estimate:
    """A figure with the ends that it is beyond with a chance of `1 - level` each.

    Args:
        value: The figure.
        resampled: `[resamples]`, the same of the resamples.
        level: How sure each end is on its own.
    """
    low, high = np.quantile(resampled, [1 - level, level])
    return Estimate(float(value), float(low), float(high))
