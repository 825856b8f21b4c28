"""A data set of a handful of lists, real or simulated."""

import numpy as np

from psad_tf import tensors
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, Bundle

SIZES = {
    "item_rows": 20,
    "item_widths": [1, 2],
    "item_unknown_ids": [1, 15],
    "user_rows": 8,
    "user_widths": [1],
    "user_unknown_ids": [1],
    "candidate_dense_size": 2,
    "history_dense_size": 1,
    "list_length": 5,
    "history_length": 3,
}
# As many of the last two: JAX compiles for each number of lists.
LISTS = {"train": 10, "validation": 5, "test": 5}
ITEMS = 7


def columns(count: int, seed: int) -> dict[str, np.ndarray]:
    """Random lists in the types that files hold; two candidates or more each."""
    random = np.random.default_rng(seed)
    is_valid = np.arange(5) < random.integers(2, 6, (count, 1))
    is_past = np.arange(3) < random.integers(0, 4, (count, 1))
    label = (random.random((count, 5)) < 0.4) & is_valid
    label[:, 1] = True
    found = {
        tensors.USER_IDS: random.integers(1, 8, (count, 1)),
        tensors.CANDIDATE_IDS: random.integers(1, 20, (count, 5, 3)),
        tensors.CANDIDATE_DENSE: random.normal(size=(count, 5, 2)),
        tensors.CANDIDATE_IS_VALID: is_valid,
        tensors.HISTORY_IDS: random.integers(1, 20, (count, 3, 3)),
        tensors.HISTORY_DENSE: random.normal(size=(count, 3, 1)),
        tensors.HISTORY_IS_VALID: is_past.astype(np.int64),
        tensors.LABEL: label,
    }
    floats = tensors.CANDIDATE_DENSE, tensors.HISTORY_DENSE, tensors.LABEL
    return found | {name: found[name].astype(np.float32) for name in floats}


def make_bundle(simulated: bool = False) -> Bundle:
    splits = {
        split: columns(count, seed) for seed, (split, count) in enumerate(LISTS.items())
    }
    if not simulated:
        return Bundle("tiny", SIZES, splits)
    random = np.random.default_rng(9)
    for split in splits.values():
        shape = split[tensors.LABEL].shape
        split[RELEVANCE] = random.random(shape).astype(np.float32)
        split[ITEM_INDEX] = random.integers(0, ITEMS, shape)
    vectors = random.normal(size=(ITEMS, 4)).astype(np.float32)
    vectors *= 2 / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Bundle("tiny_world", SIZES, splits, vectors, eta=0.5)
