"""Lists as rows of one int32 matrix: what the signature `rank_matrix` takes.

It goes to a device in one copy, and a server has next to nothing to do with it.
NumPy only: clients use this too.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from psad_tf import tensors
from psad_tf.config import PSADConfig
from psad_tf.data.errors import DataError

MATRIX = "matrix"
CANDIDATE_COUNT, HISTORY_COUNT = "candidate_count", "history_count"
COUNTS = (CANDIDATE_COUNT, HISTORY_COUNT)
NUMBERS = (tensors.CANDIDATE_DENSE, tensors.HISTORY_DENSE)
_GREATEST = np.iinfo(np.int32).max


@dataclass(frozen=True)
class ListMatrix:
    """Which columns stand for what.

    The values of a list stand one after the other, by the names and in the order of
    `shapes`, each item's beside each other: ids and counts as they are, numbers by the
    bits of their float32, places without an item as zeros.

    Args:
        list_length: Candidates of a list (M).
        history_length: Past items of a list (N).
        user_columns: Ids of a user.
        item_columns: Ids of an item.
        candidate_numbers: Numbers of a candidate.
        history_numbers: Numbers of a past item.
    """

    list_length: int
    history_length: int
    user_columns: int
    item_columns: int
    candidate_numbers: int
    history_numbers: int

    @classmethod
    def of(cls, config: PSADConfig, list_length: int, history_length: int):
        """That of a model's lists, at a width."""
        return cls(
            list_length,
            history_length,
            sum(config.user_widths),
            sum(config.item_widths),
            config.candidate_dense_size,
            config.history_dense_size,
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What stands in a row, in order: the name and the shape for one list."""
        m, n = self.list_length, self.history_length
        return {
            tensors.USER_IDS: (self.user_columns,),
            tensors.CANDIDATE_IDS: (m, self.item_columns),
            tensors.CANDIDATE_DENSE: (m, self.candidate_numbers),
            CANDIDATE_COUNT: (),
            tensors.HISTORY_IDS: (n, self.item_columns),
            tensors.HISTORY_DENSE: (n, self.history_numbers),
            HISTORY_COUNT: (),
        }

    @property
    def sizes(self) -> dict[str, int]:
        """How many columns each takes, by name, in order."""
        return {name: math.prod(shape) for name, shape in self.shapes.items()}

    @property
    def lengths(self) -> dict[str, int]:
        """The most that each count may be, by its name."""
        return {
            CANDIDATE_COUNT: self.list_length,
            HISTORY_COUNT: self.history_length,
        }

    @property
    def width(self) -> int:
        """How many columns there are."""
        return sum(self.sizes.values())

    def to_dict(self) -> dict[str, int]:
        """The arguments by name, as `assets.extra/psad.json` has them."""
        return asdict(self)

    def fill(self, lists: Mapping[str, np.ndarray]) -> np.ndarray:
        """The matrix of some lists.

        Args:
            lists: By the names of `shapes`, for B lists: what `rank_tensors` takes.
                Places may be narrower than here.

        Returns:
            int32 `[B, width]`.

        Raises:
            DataError: Something is missing, is too wide, or has another shape.
        """
        if set(lists) != set(self.shapes):
            raise DataError(
                f"lists have {sorted(lists)}; give {sorted(self.shapes)}, no other"
            )
        count = len(lists[tensors.USER_IDS])
        matrix, begin = np.zeros((count, self.width), np.int32), 0
        for name, shape in self.shapes.items():
            values = _checked(name, lists[name], (count, *shape))
            end = begin + math.prod(shape)
            # A view, as the columns of a row lie beside each other.
            part = matrix[:, begin:end].view(values.dtype).reshape(count, *shape)
            part[tuple(map(slice, values.shape))] = values
            begin = end
        return matrix


def _checked(name: str, values, most: tuple[int, ...]) -> np.ndarray:
    """Values as they stand in the matrix.

    Raises:
        DataError: Their shape is not `most`, or narrower where that has a width, or
            they are no ids or counts where they should be.
    """
    values, is_list = np.asarray(values), len(most) == 3
    fitting = most
    if is_list and values.ndim == 3:
        fitting = (most[0], min(values.shape[1], most[1]), most[2])
    if values.shape != fitting:
        hint = ", or fewer items a list" if is_list else ""
        raise DataError(f"{name} has the shape {values.shape}; give {most}{hint}")
    if name in NUMBERS:
        return values.astype(np.float32)
    if values.dtype.kind not in "iu":
        raise DataError(f"{name} is {values.dtype}; give whole numbers")
    if values.size and (values.min() < 0 or values.max() > _GREATEST):
        raise DataError(
            f"{name} has values from {values.min()} to {values.max()}; "
            f"give some from 0 to {_GREATEST}"
        )
    return values.astype(np.int32)
