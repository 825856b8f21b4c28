"""What a candidate is like within its list and next to the history, in NumPy.

Each function makes a block of columns: float `[lists, list, ...]`.
"""

import numpy as np

# After so many newer items, a past item counts half.
HALF_LIFE = 5


def within_list(values, is_valid) -> np.ndarray:
    """Each value beside those of its list: minus their mean, z-score, share below.

    Of 1, 2 and 6, the last is 3 above the mean, 1.39 deviations, above all others:

    >>> block = within_list(np.array([[[1.], [2.], [6.]]]), np.ones((1, 3), bool))
    >>> block[0, 2, 0].round(2)
    array([3.  , 1.39, 1.  ])

    Args:
        values: float `[lists, list, columns]`.
        is_valid: bool `[lists, list]`.

    Returns:
        `[lists, list, columns, 3]`; 0 on padding, and z is 0 where all are equal.
    """
    valid = is_valid[..., None]
    count = np.maximum(is_valid.sum(1), 1)[:, None, None]
    mean = np.where(valid, values, 0).sum(1, keepdims=True) / count
    centred = np.where(valid, values - mean, 0)
    deviation = np.sqrt((centred**2).sum(1, keepdims=True) / count)
    z = np.divide(
        centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9
    )
    pair = is_valid[:, :, None] & is_valid[:, None]
    lower = (values[:, :, None] > values[:, None]) & pair[..., None]
    below = lower.sum(2) / np.maximum(count - 1, 1)
    return np.stack([centred, z, below], axis=-1)


def likeness(ids, others, widths) -> np.ndarray:
    """How much items agree, field by field: the share of an item's values in another's.

    >>> likeness(np.array([[[7, 1, 2]]]), np.array([[[8, 2, 3]]]), (1, 2))
    array([[[[0. , 0.5]]]], dtype=float32)

    Args:
        ids: int `[lists, list, columns]`, 0 for none.
        others: int `[lists, others, columns]`.
        widths: Columns of each field.

    Returns:
        float32 `[lists, list, others, fields]`.
    """
    found = []
    for columns in field_columns(widths):
        mine, theirs = ids[:, :, None, columns], others[:, None, :, columns]
        shared = np.zeros(np.broadcast_shapes(mine.shape, theirs.shape), bool)
        for i in range(theirs.shape[-1]):
            shared |= mine == theirs[..., i : i + 1]
        is_value = mine > 0
        share = (shared & is_value).sum(-1) / np.maximum(is_value.sum(-1), 1)
        found.append(share.astype(np.float32))
    return np.stack(found, axis=-1)


def among_candidates(ids, is_valid, widths) -> np.ndarray:
    """The mean likeness to the list's other items and to those above.

    Returns:
        `[lists, list, fields, 2]`.
    """
    alike = likeness(ids, ids, widths)
    length = is_valid.shape[1]
    pair = is_valid[:, :, None] & is_valid[:, None]
    others = pair & ~np.eye(length, dtype=bool)
    above = pair & np.tri(length, k=-1, dtype=bool)
    return np.stack([_mean(alike, w) for w in (others, above)], axis=-1)


def next_to_history(ids, history_ids, history_is_valid, reactions, widths):
    """How much of the history is like the candidate, and what the user did with that.

    Args:
        ids: int `[lists, list, columns]`.
        history_ids: int `[lists, history, columns]`, oldest first.
        history_is_valid: bool `[lists, history]`, padding last.
        reactions: float `[lists, history, numbers]`, known of past items alone;
            standardised, so that 0 stands for "no such item".
        widths: Columns of each field.

    Returns:
        `[lists, list, fields, 2 + numbers]`: the share of past items that are alike,
        the same with newer items counting more, and the mean of each number over them,
        pulled to 0 as if by one more item.
    """
    alike = likeness(ids, history_ids, widths)
    alike *= history_is_valid[:, None, :, None]
    every = np.ones_like(alike[..., 0]) * history_is_valid[:, None]
    newest = history_is_valid.sum(1, keepdims=True) - 1
    age = newest - np.arange(history_is_valid.shape[1])
    recent = every * (0.5 ** (np.maximum(age, 0) / HALF_LIFE))[:, None]
    shares = [_mean(alike, weight) for weight in (every, recent)]
    count = alike.sum(2)[..., None] + 1
    sums = np.einsum("lchf,lhn->lcfn", alike, reactions)
    return np.concatenate([np.stack(shares, axis=-1), sums / count], axis=-1)


def field_columns(widths) -> list[slice]:
    """Each field's columns.

    >>> field_columns((1, 6))
    [slice(0, 1, None), slice(1, 7, None)]
    """
    ends = np.cumsum(widths).tolist()
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]


def mean_of_fields(values, ids, widths, default) -> np.ndarray:
    """The mean over each field's values: `[..., columns]` to `[..., fields]`.

    Args:
        values: float `[..., columns]`.
        ids: int `[..., columns]`, 0 where there is no value.
        widths: Columns of each field.
        default: Of a field without any value.
    """
    means = []
    for columns in field_columns(widths):
        is_value = ids[..., columns] > 0
        total = np.where(is_value, values[..., columns], 0).sum(-1)
        count = is_value.sum(-1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), default))
    return np.stack(means, axis=-1)


def _mean(alike, weight) -> np.ndarray:
    """`[lists, list, others, fields]` weighted over others; 0 where there are none."""
    total = np.einsum("lcof,lco->lcf", alike, weight.astype(np.float32))
    return total / np.maximum(weight.sum(2), 1e-9)[..., None]
