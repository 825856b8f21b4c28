"""A small shop whose lists can be read by eye."""

import numpy as np

from psad_tf.baselines.lambdamart_features import Describer
from psad_tf.config import PSADConfig
from psad_tf.features import Feature, FeatureSet, Kind

FEATURES = FeatureSet(
    name="shop",
    user=(Feature("segment", Kind.CATEGORICAL),),
    item=(
        Feature("item_id", Kind.CATEGORICAL),
        Feature("tags", Kind.MULTIVALENT, max_values=2),
        Feature("price", Kind.NUMERIC),
    ),
    candidate=(Feature("initial_score", Kind.NUMERIC),),
    history=(Feature("stars", Kind.NUMERIC),),
    list_length=3,
    history_length=2,
)
# Items are 1-5 (1 unknown), tags 6-9 (6 unknown), segments 1-3 (1 unknown).
CONFIG = PSADConfig(
    item_rows=10,
    item_widths=(1, 2),
    item_unknown_ids=(1, 6),
    user_rows=4,
    user_widths=(1,),
    user_unknown_ids=(1,),
    candidate_dense_size=2,
    history_dense_size=2,
    list_length=3,
    history_length=2,
    slate_length=3,
)


def one_list(**changes) -> dict[str, np.ndarray]:
    """Three places, two candidates; two past items. Small types, as files hold them."""
    arrays = {
        "user_ids": np.array([[2]], np.uint8),
        "candidate_ids": np.array([[[2, 7, 8], [3, 8, 0], [0, 0, 0]]], np.uint8),
        "candidate_dense": np.array([[[1.0, 5], [3, 4], [99, 99]]], np.float32),
        "candidate_is_valid": np.array([[1, 1, 0]], np.uint8),
        "history_ids": np.array([[[3, 7, 0], [2, 8, 9]]], np.uint8),
        "history_dense": np.array([[[2.0, -1], [4, 0.5]]], np.float32),
        "history_is_valid": np.array([[1, 1]], np.uint8),
        "label": np.array([[0, 1, 0]], np.float32),
    }
    return arrays | {k: np.asarray(v) for k, v in changes.items()}


def described(arrays, training=None) -> dict[str, np.ndarray]:
    """Each column of the only list, by name."""
    values, names = Describer(CONFIG, FEATURES, training or arrays).rows(arrays)
    return dict(zip(names, values[0].T, strict=True))


def many_lists(count, seed=0):
    """Clicks on the candidate whose tag the history has; prices are noise."""
    random = np.random.default_rng(seed)
    tags = random.integers(7, 10, (count, 3))
    liked = random.integers(7, 10, count)
    ids = np.stack([random.integers(2, 6, (count, 3)), tags, 0 * tags], axis=-1)
    past = np.zeros((count, 2, 3), int)
    past[:, 0, :2] = np.stack([random.integers(2, 6, count), liked], axis=-1)
    return {
        "user_ids": random.integers(2, 4, (count, 1)),
        "candidate_ids": ids,
        "candidate_dense": random.normal(size=(count, 3, 2)).astype(np.float32),
        "candidate_is_valid": np.ones((count, 3), int),
        "history_ids": past,
        "history_dense": np.zeros((count, 2, 2), np.float32),
        "history_is_valid": np.tile([1, 0], (count, 1)),
        "label": (tags == liked[:, None]).astype(np.float32),
    }
