"""The first stage's scores, from the vectors it left; NumPy only."""

from pathlib import Path

import numpy as np

from psad_tf.data.errors import DataError


class FirstStage:
    """Scores pairs by the dot product of two towers' vectors plus the item's bias.

    Args:
        user_ids: `[users]` names of users.
        item_ids: `[items]` names of items.
        user_vectors: `[users, dim]`.
        item_vectors: `[items, dim]`.
        item_bias: `[items]`.
    """

    def __init__(self, user_ids, item_ids, user_vectors, item_vectors, item_bias):
        self._user_index = {name: index for index, name in enumerate(user_ids)}
        self._item_index = {name: index for index, name in enumerate(item_ids)}
        self._user_vectors = user_vectors
        self._item_vectors = item_vectors
        self._item_bias = item_bias

    @classmethod
    def load(cls, path: Path) -> "FirstStage":
        """Reads `towers.npz`."""
        try:
            with np.load(path, allow_pickle=False) as file:
                names = ("user_ids", "item_ids", "user_vectors", "item_vectors")
                return cls(*(file[name] for name in names), file["item_bias"])
        except (OSError, KeyError, ValueError) as error:
            raise DataError(
                f"{path} holds no vectors of a first stage ({error}); prepare the "
                "data again"
            ) from error

    def score(self, user_id: str, item_ids: list[str]) -> np.ndarray:
        """`[items]` float64 scores; the larger, the better."""
        rows = [self._item_index[name] for name in item_ids]
        user = self._user_vectors[self._user_index[user_id]].astype(np.float64)
        return self._item_vectors[rows] @ user + self._item_bias[rows]
