"""How far two rankings of a list agree, in NumPy."""

import numpy as np


def kendall(first, second, is_valid):
    """Kendall's tau of each list: of all pairs the share that both rank alike, less
    that which they rank the other way round.

    Of three items, one pair of three is turned round: (2 - 1) / 3.

    >>> kendall([[3., 2., 1.]], [[2., 3., 1.]], [[True, True, True]]).round(4)
    array([0.3333])

    Args:
        first, second: `[lists, list]` scores; pairs that one of them ties count for
            neither side.
        is_valid: bool `[lists, list]`.

    Returns:
        float64 `[lists]`, from -1 to 1; 1 for a list without a pair.
    """
    is_valid = np.asarray(is_valid, bool)
    agreed = _signs(first) * _signs(second)
    above = np.triu(np.ones(is_valid.shape[1:] * 2, bool), 1)
    is_pair = is_valid[:, :, None] & is_valid[:, None, :] & above
    pairs = is_pair.sum(axis=(1, 2))
    total = np.where(is_pair, agreed, 0).sum(axis=(1, 2))
    return np.where(pairs > 0, total / np.maximum(pairs, 1), 1.0)


def _signs(scores) -> np.ndarray:
    scores = np.asarray(scores, np.float64)
    # Padding may carry infinities, whose difference is no number and counts nowhere.
    with np.errstate(invalid="ignore"):
        return np.sign(scores[:, :, None] - scores[:, None, :])
