"""How often each id was clicked in the training lists, without a look at the own list.

A tree cannot embed thousands of ids. It gets their click rates instead: smoothed, and
for a training list counted over the other folds alone, or a rate would tell its label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.baselines.lambdamart_blocks import mean_of_fields

FOLDS = 10
# A rate counts as if an average id had been shown this often before.
PRIOR_SHOWS = 20


@dataclass(frozen=True)
class ClickRates:
    """Two rates of each id, from all training lists and from all but one fold.

        rate = (clicks + m base) / (shows + m)
        lift = (clicks + m base) / (expected clicks + m base)

    `base` is the share of clicked candidates, m is `PRIOR_SHOWS`. What is expected of a
    show is the click rate of its place, so that lift is free of who was shown on top.

    Args:
        whole: float64 `[2, ids]`, rate and lift over all training lists.
        held_out: float64 `[2, FOLDS, ids]`, over those outside of a fold.
        fold: int `[training lists]`, the fold of each.
        base: As above.
    """

    whole: np.ndarray
    held_out: np.ndarray
    fold: np.ndarray
    base: float

    @classmethod
    def fit(cls, ids, label, is_valid, rows: int, seed: int = 0) -> "ClickRates":
        """Counts.

        Args:
            ids: int `[lists, list, columns]`, 0 for none.
            label: `[lists, list]`, above 0 for a click.
            is_valid: bool `[lists, list]`.
            rows: Ids of the space, 0 included.
            seed: Of the draw of folds.

        Raises:
            ValueError: There is no click, so there are no rates.
        """
        click = (label > 0) & is_valid
        if not click.any():
            raise ValueError(
                f"none of {len(ids)} training lists has a click; there is nothing to "
                "learn from"
            )
        fold = np.random.default_rng(seed).permutation(len(ids)) % FOLDS
        counted = (ids > 0) & is_valid[..., None]
        places = (fold[:, None, None] * rows + ids.astype(np.int64))[counted]
        expected = click.sum(0) / np.maximum(is_valid.sum(0), 1)

        def count(weight) -> np.ndarray:
            weight = np.broadcast_to(weight[..., None], ids.shape)[counted]
            found = np.bincount(places, weight, minlength=FOLDS * rows)
            return found.reshape(FOLDS, rows)

        counts = np.stack(
            [
                count(w)
                for w in (click, is_valid, np.broadcast_to(expected, click.shape))
            ]
        )
        whole, base = counts.sum(1), click.sum() / is_valid.sum()
        held_out = _rates(whole[:, None] - counts, base)
        return cls(_rates(whole, base), held_out, fold, float(base))

    def of(self, ids, lists, widths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Rate and lift of each field, the mean over its values.

        Args:
            ids: int `[lists, list, columns]`.
            lists: If they are training lists, their indices `[lists]`, else None.
            widths: Columns of each field.

        Returns:
            Two float64 `[lists, list, fields]`; of no value at all, `base` and 1.
        """
        if lists is None:
            rate, lift = self.whole[:, ids]
        else:
            rate, lift = self.held_out[:, self.fold[lists][:, None, None], ids]
        return (
            mean_of_fields(rate, ids, widths, self.base),
            mean_of_fields(lift, ids, widths, 1.0),
        )


def _rates(counts: np.ndarray, base: float) -> np.ndarray:
    """`[3, ...]` clicks, shows and expected clicks to `[2, ...]` rate and lift."""
    clicks, shows, expected = counts
    prior = PRIOR_SHOWS * base
    clicks = clicks + prior
    return np.stack([clicks / (shows + PRIOR_SHOWS), clicks / (expected + prior)])
