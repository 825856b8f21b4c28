"""Everything the neural models see, as one row of numbers for each candidate."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from psad_tf import tensors
from psad_tf.baselines import lambdamart_blocks as blocks
from psad_tf.baselines.lambdamart_columns import Columns
from psad_tf.baselines.lambdamart_rates import ClickRates
from psad_tf.config import PSADConfig
from psad_tf.features import FeatureSet

LISTS_AT_ONCE = 256
Arrays = Mapping[str, np.ndarray]
Named = Iterator[tuple[str, np.ndarray]]


class Describer:
    """Makes the rows; its click rates come from the training lists alone.

    Args:
        config: Sizes of the id spaces.
        features: Says what the columns are.
        training: The input tensors and the label of the training lists.
        seed: Of the folds the click rates leave out.
    """

    def __init__(
        self, config: PSADConfig, features: FeatureSet, training: Arrays, seed: int = 0
    ):
        self.columns = Columns.of(features, config)
        is_valid = training[tensors.CANDIDATE_IS_VALID].astype(bool)
        label = training[tensors.LABEL]
        self.item_rates, self.user_rates = (
            ClickRates.fit(ids, label, is_valid, rows, seed)
            for ids, rows in (
                (training[tensors.CANDIDATE_IDS], config.item_rows),
                (_of_candidates(training[tensors.USER_IDS], label), config.user_rows),
            )
        )

    def categorical(self) -> list[str]:
        """The names of the columns that hold ids."""
        fields = self.columns.items, self.columns.users
        return [f"ids/{name}" for f in fields for name in f.categorical()]

    def rows(
        self, arrays: Arrays, are_training: bool = False
    ) -> tuple[np.ndarray, list[str]]:
        """The rows of a split, made some lists at a time.

        Args:
            arrays: The input tensors by name.
            are_training: Whether these are the very lists the rates were fitted on,
                in the same order: theirs leave out their own fold.

        Returns:
            float32 `[lists, list, F]`, 0 on padding, and the F names. A name begins
            with its kind: `numbers/`, `rates/` or `ids/`.

        Raises:
            ValueError: There is no list.
        """
        count, length = arrays[tensors.CANDIDATE_IS_VALID].shape
        if not count:
            raise ValueError("there is no list to describe; give at least one")
        found, names = None, []
        for first in range(0, count, LISTS_AT_ONCE):
            chosen = np.arange(first, min(first + LISTS_AT_ONCE, count))
            part = _part(arrays, chosen)
            blocks_of_part = dict(self._all(part, chosen if are_training else None))
            if found is None:
                names = list(blocks_of_part)
                found = np.zeros((count, length, len(names)), np.float32)
            is_valid = part[tensors.CANDIDATE_IS_VALID]
            for i, values in enumerate(blocks_of_part.values()):
                found[chosen, :, i] = np.where(is_valid, values, 0)
        return found, names

    def _all(self, part: Arrays, lists: np.ndarray | None) -> Named:
        """Names with `[lists, list]` values; each name begins with its kind."""
        columns, ids = self.columns, part[tensors.CANDIDATE_IDS]
        is_valid = part[tensors.CANDIDATE_IS_VALID]
        users = _of_candidates(part[tensors.USER_IDS], ids)
        yield from self._context(part)
        dense = part[tensors.CANDIDATE_DENSE]
        yield from _beside("numbers", columns.numbers, dense, is_valid)
        yield from self._likeness(part)
        yield from self._history(part)
        for what, rate in zip(
            ("rate", "lift"),
            self.item_rates.of(ids, lists, columns.items.widths),
            strict=True,
        ):
            titles = [f"{what}_{name}" for name in columns.items.names]
            yield from _beside("rates", titles, rate, is_valid)
        rate, _ = self.user_rates.of(users, lists, columns.users.widths)
        yield from _named("rates/rate_", columns.users.names, rate)
        for fields, found in ((columns.items, ids), (columns.users, users)):
            for name, values in fields.as_numbers(found):
                yield f"ids/{name}", values

    def _context(self, part: Arrays) -> Named:
        is_valid = part[tensors.CANDIDATE_IS_VALID]
        place = np.broadcast_to(np.arange(is_valid.shape[1]), is_valid.shape)
        yield "numbers/place", place
        yield "numbers/list_length", _of_candidates(is_valid.sum(1), is_valid)
        past = part[tensors.HISTORY_IS_VALID].sum(1)
        yield "numbers/history_length", _of_candidates(past, is_valid)

    def _likeness(self, part: Arrays) -> Named:
        """To the list's other items."""
        items, ids = self.columns.items, part[tensors.CANDIDATE_IDS]
        is_valid = part[tensors.CANDIDATE_IS_VALID]
        among = blocks.among_candidates(ids, is_valid, items.widths)
        for i, what in enumerate(("in_list", "above")):
            yield from _named(f"numbers/alike_{what}_", items.names, among[..., i])

    def _history(self, part: Arrays) -> Named:
        """Likeness to past items, and distance from their mean."""
        items, names, shared = self.columns.items, self.columns, self.columns.shared
        ids, past = part[tensors.CANDIDATE_IDS], part[tensors.HISTORY_IDS]
        is_valid = part[tensors.HISTORY_IS_VALID]
        dense = np.where(is_valid[..., None], part[tensors.HISTORY_DENSE], 0)
        reactions = dense[..., shared:]
        alike = blocks.next_to_history(ids, past, is_valid, reactions, items.widths)
        for i, what in enumerate(("share", "recent_share", *names.reactions)):
            title = f"numbers/history_{what}_"
            yield from _named(title, items.names, alike[..., i])
        mean = dense.sum(1) / np.maximum(is_valid.sum(1), 1)[:, None]
        mean = _of_candidates(mean, ids)
        own = part[tensors.CANDIDATE_DENSE][..., :shared]
        title, numbers = "numbers/minus_history_", names.numbers[:shared]
        yield from _named(title, numbers, own - mean[..., :shared])
        title = "numbers/history_mean_"
        yield from _named(title, names.reactions, mean[..., shared:])


def _beside(kind: str, names: Sequence[str], values, is_valid) -> Named:
    """Values alone and beside those of their list."""
    yield from _named(f"{kind}/", names, values)
    beside = blocks.within_list(values, is_valid)
    for i, what in enumerate(("minus_mean", "z", "share_below")):
        yield from _named(f"{kind}/{what}_", names, beside[..., i])


def _part(arrays: Arrays, lists: np.ndarray) -> dict[str, np.ndarray]:
    """The input tensors of some lists: ids int64, as files may hold smaller ones
    without a sign; validity bool."""
    part = {}
    for name in tensors.INPUTS:
        kind = np.int64 if name.endswith("ids") else np.float32
        part[name] = arrays[name][lists].astype(bool if "is_valid" in name else kind)
    return part


def _of_candidates(values: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """`[lists, ...]` repeated for each candidate: `[lists, list, ...]`."""
    shape = (len(values), candidates.shape[1], *values.shape[1:])
    return np.broadcast_to(values[:, None], shape)


def _named(prefix: str, names: Sequence[str], values: np.ndarray) -> Named:
    """The last axis of values, one by one."""
    for i, name in enumerate(names):
        yield f"{prefix}{name}", values[..., i]
