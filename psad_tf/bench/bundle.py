"""A data set's tensors in one file: what every model of a comparison is trained on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from psad_tf import tensors
from psad_tf.data.errors import DataError

SPLITS = ("train", "validation", "test")
TENSORS = (*tensors.INPUTS, tensors.LABEL)
# What a simulated world knows and no model sees.
RELEVANCE, ITEM_INDEX, VECTORS = "true_relevance", "true_item_index", "world/vectors"
_META = "meta.json"


@dataclass(frozen=True)
class Bundle:
    """The lists of a data set as the model's input tensors.

    Args:
        dataset: The feature set's name.
        sizes: The fields of `PSADConfig` that the data decide.
        splits: Split to tensor name to array, `[lists, ...]`; for a simulated world
            also `true_relevance` float32 and `true_item_index` int, `[lists, list]`.
        vectors: float32 `[items, dim]`, a simulated world's item vectors, or None.
        eta: How fast a simulated world's examination falls with the place, or None.
    """

    dataset: str
    sizes: Mapping
    splits: Mapping[str, Mapping[str, np.ndarray]]
    vectors: np.ndarray | None = None
    eta: float | None = None

    def __post_init__(self):
        for split, columns in self.splits.items():
            for name, rows in (
                (tensors.USER_IDS, self.sizes["user_rows"]),
                (tensors.CANDIDATE_IDS, self.sizes["item_rows"]),
                (tensors.HISTORY_IDS, self.sizes["item_rows"]),
            ):
                if columns[name].size and columns[name].max() >= rows:
                    raise DataError(
                        f"{self.dataset}: {split}/{name} has id {columns[name].max()}, "
                        f"but the table has {rows} rows; prepare the bundle again"
                    )

    @property
    def is_simulated(self) -> bool:
        return self.vectors is not None

    @cached_property
    def fingerprint(self) -> str:
        """Hex digits that change with any number in the bundle."""
        known = [sorted(self.sizes.items()), self.eta]
        digest = hashlib.sha256(repr(known).encode())
        if self.is_simulated:
            digest.update(np.ascontiguousarray(self.vectors).tobytes())
        for split, columns in sorted(self.splits.items()):
            for name, array in sorted(columns.items()):
                digest.update(f"{split}/{name}{array.shape}".encode())
                digest.update(np.ascontiguousarray(_smallest(array)).tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Writes the bundle as compressed npz, numbers in the smallest type."""
        arrays = {
            f"{split}/{name}": _smallest(array)
            for split, columns in self.splits.items()
            for name, array in columns.items()
        }
        if self.is_simulated:
            arrays[VECTORS] = self.vectors
        meta = {"dataset": self.dataset, "sizes": dict(self.sizes), "eta": self.eta}
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays[_META] = np.array(json.dumps(meta))
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Reads what `save` wrote.

        Raises:
            DataError: The file is missing or no bundle.
        """
        try:
            with np.load(path) as file:
                arrays = {name: file[name] for name in file.files}
            meta = json.loads(str(arrays.pop(_META)))
        except (OSError, KeyError, ValueError) as error:
            raise DataError(
                f"{path} is no bundle of tensors ({error}); make it with "
                "`psad bench prepare`"
            ) from error
        vectors = arrays.pop(VECTORS, None)
        splits = {split: {} for split in SPLITS}
        for name, array in arrays.items():
            split, column = name.split("/")
            splits[split][column] = array
        return cls(meta["dataset"], meta["sizes"], splits, vectors, meta["eta"])

    def is_valid(self, split: str) -> np.ndarray:
        """bool `[lists, list]`, which candidates are real."""
        return self.splits[split][tensors.CANDIDATE_IS_VALID].astype(bool)

    def label(self, split: str) -> np.ndarray:
        """float32 `[lists, list]`, above 0 for a click."""
        return self.splits[split][tensors.LABEL]

    def with_last(self, lists: int) -> "Bundle":
        """The same with at most so many training lists, the last ones.

        A simulated world's lists are in the order of time; those that the pipeline made
        are shuffled.
        """
        train = self.splits["train"]
        train = {k: v[max(0, len(v) - lists) :] for k, v in train.items()}
        return replace(self, splits={**self.splits, "train": train})


def _smallest(array: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 up in as few bytes as hold them; all else as it is."""
    if array.dtype.kind in "iu" and array.size and array.min() >= 0:
        return array.astype(np.min_scalar_type(int(array.max())))
    return array
