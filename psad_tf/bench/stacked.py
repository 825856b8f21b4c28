"""Values of seeds side by side: stacked weights, batches, lists on the device."""

import jax
import jax.numpy as jnp
import numpy as np

from psad_tf import tensors

IDS = (tensors.USER_IDS, tensors.CANDIDATE_IDS, tensors.HISTORY_IDS)
ARE_VALID = (tensors.CANDIDATE_IS_VALID, tensors.HISTORY_IS_VALID)


def on_device(split: dict) -> dict:
    """A split's input tensors and label on the device: ids int32, validity bool."""
    placed = {}
    for name in (*tensors.INPUTS, tensors.LABEL):
        dtype = np.int32 if name in IDS else bool if name in ARE_VALID else np.float32
        placed[name] = jnp.asarray(split[name].astype(dtype))
    return placed


def keep_best(best: list | None, now: list, is_better: np.ndarray) -> list:
    """The weights of `now` for the seeds where it is better, else those of `best`."""
    if best is None:
        return now

    def pick(old, new):
        shape = (-1,) + (1,) * (new.ndim - 1)
        return np.where(is_better.reshape(shape), new, old)

    return jax.tree.map(pick, best, now)


def batches(orders, count, batch_size):
    """Rows `[seeds, steps, batch]` in random order; the filling has weight 0."""
    steps = -(-count // batch_size)
    rows = np.zeros((len(orders), steps * batch_size), np.int32)
    for row, random in zip(rows, orders, strict=True):
        row[:count] = random.permutation(count)
    weights = np.broadcast_to(np.arange(steps * batch_size) < count, rows.shape)
    shape = (len(orders), steps, batch_size)
    return rows.reshape(shape), weights.reshape(shape).astype(np.float32)


def chosen(values, is_chosen):
    """Those of the values that are chosen."""
    return [v for v, mine in zip(values, is_chosen, strict=True) if mine]


def merged(chosen, others, is_chosen):
    """What `chosen` took apart, in the old order."""
    chosen, others = iter(chosen), iter(others)
    return [next(chosen if mine else others) for mine in is_chosen]


def values_of(variables):
    return [np.asarray(v.value) for v in variables]


def stacked(columns):
    return [jnp.asarray(np.stack(values)) for values in columns]


def repeated(values, count):
    return [jnp.asarray(np.repeat(v[None], count, axis=0)) for v in values]
