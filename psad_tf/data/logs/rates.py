"""How often things were clicked before a day: counts of a log, smoothed."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.answers import LEVEL, LEVELS, before
from psad_tf.data.logs.bucket import Bucket
from psad_tf.data.logs.joins import codes_of
from psad_tf.data.logs.plan import Plan

PRIOR_WEIGHT = 20.0  # the prior counts as this many impressions
DEFAULT_RATE = 0.05  # before anything was shown; about that of display advertising
ALL_LEVELS = "all_levels"


def merge_levels(plan: Plan) -> None:
    """Adds up the buckets' `levels`: one row a category and day, a small table."""
    table = plan.leave(LEVELS).read(0, range(plan.item_buckets), LEVEL)
    sums = table.group_by(["value", "day"]).aggregate(
        [("shown", "sum"), ("clicked", "sum")]
    )
    sums = sums.select(["value", "day", "shown_sum", "clicked_sum"])
    sums = sums.rename_columns(LEVEL.names).sort_by(
        [("value", "ascending"), ("day", "ascending")]
    )
    plan.leave(ALL_LEVELS).write_one(0, sums)


class Rates:
    """Click rates before a day of a value of the category, and of all.

    Args:
        plan: Of the run; `merge_levels` was called.
    """

    def __init__(self, plan: Plan):
        self._table = plan.leave(ALL_LEVELS).read(0, [0], LEVEL)

    def prior(self, day: np.ndarray) -> np.ndarray:
        """`[n]` the share of clicks of all impressions before each day."""
        days, place = np.unique(day, return_inverse=True)
        shown, clicked = self._before(None, days)
        rate = np.full(len(days), DEFAULT_RATE)
        np.divide(clicked, shown, out=rate, where=shown > 0)
        return rate[place]

    def of_values(self, values: pa.Array, day: np.ndarray) -> tuple:
        """`[n]` shown and clicked of each value before each day."""
        return self._before(values, day)

    def _before(self, values: pa.Array | None, day: np.ndarray) -> list[np.ndarray]:
        """Both sums; what is asked joins the table's rows with counts of zero."""
        table, size = self._table, len(day)
        if values is None:
            group = np.zeros(table.num_rows + size, np.int64)
        else:
            group, _ = codes_of(pa.chunked_array([*table["value"].chunks, values]))
        days = np.concatenate([table["day"].to_numpy(), day])
        none = np.zeros(size, np.int64)
        counts = [
            np.concatenate([table[name].to_numpy(), none])
            for name in ("shown", "clicked")
        ]
        return [found[len(found) - size :] for found in before(group, days, counts)]


def smoothed(shown: np.ndarray, clicked: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """`[n]` float64: clicks by impressions, drawn towards the prior."""
    return (clicked + PRIOR_WEIGHT * prior) / (shown + PRIOR_WEIGHT)


def item_rates(bucket: Bucket, prior: np.ndarray) -> dict[str, np.ndarray]:
    """`[rows]` each: `click_rate` and `log_impressions` before each row's list.

    Args:
        bucket: The rows.
        prior: `[rows]` the share of clicks of all impressions before the same days.
    """
    rate = smoothed(bucket.shown, bucket.clicked, prior)
    return {"click_rate": rate, "log_impressions": np.log1p(bucket.shown)}


def numbers_of(texts: pa.Array) -> np.ndarray:
    """`[n]` float64: texts of whole numbers; NaN for any other text."""
    is_number = pc.match_substring_regex(texts, "^[0-9]{1,9}$")
    kept = pc.if_else(is_number, texts, pa.scalar(None, pa.string()))
    return kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
