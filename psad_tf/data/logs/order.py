"""A bucket of users in order: duplicates out, and its questions about items asked."""

from collections import Counter

import numpy as np
import pyarrow as pa

from psad_tf.data.logs.hashing import stable_hash, tie
from psad_tf.data.logs.joins import codes_of
from psad_tf.data.logs.parse import bucket_of
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.reader import ITEM, LABEL, POSITION, REQUEST, TIME, USER

SECONDS_A_DAY = 86_400
ASK = pa.schema(
    [
        (ITEM, pa.string()),
        ("day", pa.int64()),
        ("shown", pa.int64()),
        ("clicked", pa.int64()),
    ]
)
NAMES = pa.schema([("name", pa.string())])
CODES = {USER: "user_code", ITEM: "item_code"}
SORTED, USERS, ITEMS, ASKS = "sorted", "bucket_users", "bucket_items", "asks"


def order_bucket(plan: Plan, bucket: int) -> Counter:
    """Puts the rows of a bucket of users in order.

    Leaves `sorted` (rows by user and time, users and items as codes), `bucket_users`
    and `bucket_items` (the texts of the codes), and `asks`: of each item and day, how
    often it was shown and clicked, for the buckets of items to add up and answer.
    Returns `rows/<impressions>/duplicate` and `.../over_user_limit`.
    """
    files, numbers, schema = plan.rows()
    rows = files.read(bucket, numbers, schema)
    user, users = codes_of(rows[USER])
    item, items = codes_of(rows[ITEM])
    if REQUEST in rows.schema.names:
        rows = _at_one_time(rows, user)
    ties = tie(stable_hash(users)[user], stable_hash(items)[item])
    order, is_kept = _order(plan, rows, user, item, ties)
    name = f"rows/{plan.reader.impressions.name}"
    counts = Counter({f"{name}/duplicate": len(order) - int(is_kept.sum())})
    order = order[is_kept]
    if plan.max_user_rows:
        is_kept = _places_from_end(user[order]) < plan.max_user_rows
        counts[f"{name}/over_user_limit"] = len(order) - int(is_kept.sum())
        order = order[is_kept]
    rows = rows.take(pa.array(order)).combine_chunks()
    user, item = user[order], item[order]
    used, item = np.unique(item, return_inverse=True)
    items = items.take(pa.array(used))  # only what is asked for gets an answer
    _ask(plan, bucket, item, items, rows)
    rows = rows.drop_columns([USER, ITEM])
    for code, values in ((USER, user), (ITEM, item)):
        rows = rows.append_column(CODES[code], pa.array(values.astype(np.int32)))
    rows = rows.append_column("tie", pa.array(ties[order]))
    plan.leave(SORTED).write_one(bucket, rows)
    plan.leave(USERS).write_one(bucket, pa.table([users], schema=NAMES))
    plan.leave(ITEMS).write_one(bucket, pa.table([items], schema=NAMES))
    return counts


def _at_one_time(rows: pa.Table, user: np.ndarray) -> pa.Table:
    """The rows, those of a request all at the time of the first of them.

    Requests of a user would mix otherwise; and where time is but the order of lines, a
    line that stands twice would be two.
    """
    request, names = codes_of(rows[REQUEST])
    _, which = np.unique(user * len(names) + request, return_inverse=True)
    first = np.full(which.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, which, rows[TIME].to_numpy())
    place = rows.schema.get_field_index(TIME)
    return rows.set_column(place, TIME, pa.array(first[which]))


def _order(
    plan: Plan, rows: pa.Table, user: np.ndarray, item: np.ndarray, ties: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows by user, time and tie (or request and position), and which to keep.

    Of rows that differ in nothing else, one that was clicked is kept.
    """
    time = rows[TIME].to_numpy()
    by_request = REQUEST in rows.schema.names
    request = codes_of(rows[REQUEST])[0] if by_request else np.zeros_like(user)
    not_clicked = 1 - rows[LABEL].to_numpy()
    order = np.lexsort((not_clicked, item, ties, request, time, user))
    is_kept = np.zeros(len(order), bool)
    is_kept[:1] = True
    for key in (user, time, request, item):
        is_kept[1:] |= np.diff(key[order]) != 0
    if not by_request:
        return order, is_kept
    position = rows[POSITION].to_numpy()[order]
    again = np.lexsort((position, request[order], time[order], user[order]))
    return order[again], is_kept[again]


def _places_from_end(user: np.ndarray) -> np.ndarray:
    """`[n]` how many later rows the user of each row has; users follow each other."""
    ends = np.searchsorted(user, user, side="right")
    return ends - 1 - np.arange(len(user))


def days(plan: Plan, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[n]` the day of each row, and the day before which its list can't have begun.

    What an item did before that second day was known when the list began.
    """
    offset, window = plan.reader.utc_offset, plan.protocol.window_seconds
    return (time + offset) // SECONDS_A_DAY, (time - window + offset) // SECONDS_A_DAY


def _ask(
    plan: Plan, bucket: int, item: np.ndarray, items: pa.Array, rows: pa.Table
) -> None:
    """Leaves one row for each item and day that the bucket holds or asks about."""
    clicked = rows[LABEL].to_numpy().astype(np.int64)
    day = asked = np.zeros_like(item)
    if plan.asks_for_days:
        day, asked = days(plan, rows[TIME].to_numpy())
    first = min(asked.min(initial=0), day.min(initial=0))
    width = int(day.max(initial=0) - first) + 1
    key = np.concatenate([item * width + (day - first), item * width + (asked - first)])
    pairs, place = np.unique(key, return_inverse=True)
    place = place[: len(item)]
    shown = np.bincount(place, minlength=len(pairs))
    clicks = np.bincount(place, weights=clicked, minlength=len(pairs)).astype(np.int64)
    columns = [items.take(pa.array(pairs // width)), pairs % width + first]
    table = pa.table([*columns, shown, clicks], schema=ASK)
    parts = bucket_of(table[ITEM], plan.item_buckets)
    plan.leave(ASKS, plan.item_buckets).write(bucket, [(table, parts)], ASK)
