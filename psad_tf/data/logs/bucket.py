"""The rows of a bucket of users with all that is known of their users and items."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.errors import DataError
from psad_tf.data.logs.answers import (
    DAY_ANSWER,
    DAY_ANSWERS,
    ITEM_ANSWERS,
    KNOWN,
    ROWS,
    answer_schema,
)
from psad_tf.data.logs.joins import rows_of, table_counts, unique_rows
from psad_tf.data.logs.order import ITEMS, NAMES, SORTED, USERS, days
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.reader import ITEM, LABEL, TIME, USER


@dataclass(frozen=True)
class Bucket:
    """Rows of some users, by user and time.

    Args:
        rows: The columns of the log itself.
        user: `[rows]` index into `users`.
        item: `[rows]` index into `items`.
        time: `[rows]` seconds since the epoch.
        label: `[rows]` 0 or 1.
        users: `[users]` ids.
        items: One row an item: `item`, `rows`, `is_known` and the table's columns.
        shown: `[rows]` how often the item was shown before the day on which the row's
            list can have begun, at the earliest; None where nobody asks.
        clicked: The same for clicks.
        profiles: One row a user: the columns of the table of users.
        counts: What became of the rows of that table.
    """

    rows: pa.Table
    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    label: np.ndarray
    users: pa.Array
    items: pa.Table
    shown: np.ndarray | None
    clicked: np.ndarray | None
    profiles: pa.Table
    counts: Counter

    @property
    def tie(self) -> np.ndarray:
        """`[rows]` decides every order that time leaves open."""
        return self.rows["tie"].to_numpy()

    def take(self, rows: np.ndarray) -> "Bucket":
        """Some of the rows, by index or by whether each is meant."""
        names = ("user", "item", "time", "label", "shown", "clicked")
        parts = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in names
        }
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return replace(self, rows=self.rows.take(pa.array(rows)), **parts)


def load_bucket(plan: Plan, bucket: int) -> Bucket:
    """Reads what earlier stages left of a bucket of users.

    Raises:
        DataError: Another stage's files are of another run.
    """
    rows = plan.leave(SORTED).read(0, [bucket], None)
    users = plan.leave(USERS).read(0, [bucket], NAMES)["name"].combine_chunks()
    names = plan.leave(ITEMS).read(0, [bucket], NAMES)["name"].combine_chunks()
    user, item = (rows[name].to_numpy().astype(np.int64) for name in _CODES)
    buckets = range(plan.item_buckets)
    files = plan.leave(ITEM_ANSWERS, plan.buckets)
    answers = files.read(bucket, buckets, answer_schema(plan))
    place = rows_of(names, answers, ITEM)
    if (place < 0).any():
        raise DataError(f"{plan.folder}: answers are missing; start the run again")
    time = rows[TIME].to_numpy()
    shown, clicked = _before(plan, bucket, names, item, time)
    return Bucket(
        rows.drop_columns([*_CODES]),
        user,
        item,
        time,
        rows[LABEL].to_numpy(),
        users,
        answers.take(pa.array(place)).combine_chunks(),
        shown,
        clicked,
        *_profiles(plan, bucket, users),
    )


_CODES = ("user_code", "item_code")


def _before(plan, bucket, names, item, time):
    """`[rows]` shown and clicked before the list of each row can have begun."""
    if not plan.asks_for_days:
        return None, None
    files = plan.leave(DAY_ANSWERS, plan.buckets)
    answers = files.read(bucket, range(plan.item_buckets), DAY_ANSWER)
    _, day = days(plan, time)
    answered = rows_of(answers[ITEM].combine_chunks(), pa.table([names], [ITEM]), ITEM)
    first = min(day.min(initial=0), pc.min(answers["day"]).as_py() or 0)
    width = int(pc.max(answers["day"]).as_py() or 0) - first + 1
    keys = answered * width + (answers["day"].to_numpy() - first)
    order = np.argsort(keys)
    place = order[np.searchsorted(keys[order], item * width + (day - first))]
    return tuple(answers[n].to_numpy()[place] for n in ("shown", "clicked"))


def apply_thresholds(plan: Plan, bucket: Bucket) -> tuple[Bucket, Counter]:
    """The rows of items and users that have enough of them; and why others go.

    Items first, of the whole log; then users, of the rows that are left; once.
    """
    rules = plan.protocol
    counts: Counter = Counter()
    enough = bucket.items[ROWS].to_numpy() >= rules.min_item_rows
    reasons = {
        "unknown_item": ~bucket.items[KNOWN].to_numpy(),
        "item_below_minimum": ~enough,
    }
    bucket = _without(bucket, counts, reasons, bucket.item)
    size = len(bucket.users)
    clicks = np.bincount(bucket.user, weights=bucket.label, minlength=size)
    few = np.bincount(bucket.user, minlength=size) < rules.min_user_rows
    reasons = {"user_below_minimum": few}
    if rules.needs_click:
        reasons["user_without_click"] = clicks == 0
    bucket = _without(bucket, counts, reasons, bucket.user)
    return bucket, counts


def _without(bucket, counts, reasons, code) -> Bucket:
    """Takes rows out whose user or item has a reason; the first reason counts."""
    is_left = np.ones(len(code), bool)
    for reason, is_meant in reasons.items():
        is_out = is_left & is_meant[code]
        counts[reason] = int(is_out.sum())
        is_left &= ~is_out
    return bucket if is_left.all() else bucket.take(is_left)


def _profiles(plan: Plan, bucket: int, users: pa.Array) -> tuple[pa.Table, Counter]:
    """What the table of users knows of these, in their order; and its rows' fates."""
    table = plan.reader.users
    if table is None:
        return pa.table({}), Counter()
    schema = plan.parsed_schema("users")
    given = plan.parsed("users").read(bucket, plan.numbers("users"), schema)
    known = unique_rows(given, USER)
    place = rows_of(users, known, USER)
    counts = table_counts(
        table.name, given.num_rows, known.num_rows, int((place >= 0).sum())
    )
    found = known.drop_columns([USER]).take(pa.array(place, mask=place < 0))
    found = found.combine_chunks()
    columns = {
        name: pc.fill_null(found[name], table.missing.get(name))
        for name in found.schema.names
    }
    return pa.table(columns), counts
