"""A bucket of items: their attributes, how often they were shown, and when."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from psad_tf.data.logs.joins import codes_of, rows_of, table_counts, unique_rows
from psad_tf.data.logs.order import ASK, ASKS
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.reader import ITEM

KNOWN, ROWS = "is_known", "rows"
ITEM_ANSWERS, DAY_ANSWERS, LEVELS = "item_answers", "day_answers", "levels"
DAY_ANSWER = pa.schema(ASK)
LEVEL = pa.schema(
    [
        ("value", pa.string()),
        ("day", pa.int64()),
        ("shown", pa.int64()),
        ("clicked", pa.int64()),
    ]
)


def answer_schema(plan: Plan) -> pa.Schema:
    """Of `item_answers`: item, its rows in the log, whether the table knows it, and
    the table's other columns."""
    fields = [(ITEM, pa.string()), (ROWS, pa.int64()), (KNOWN, pa.bool_())]
    if plan.reader.items:
        table = plan.parsed_schema("items")
        fields += [(f.name, f.type) for f in table if f.name != ITEM]
    return pa.schema(fields)


def answer_items(plan: Plan, bucket: int) -> Counter:
    """Adds up what the users' buckets hold of these items and answers each of them.

    Leaves `item_answers` and `day_answers` (of each item and day that was asked for,
    how often it was shown and clicked before that day), by bucket of users, and
    `levels`: shown and clicked by category and day. Returns the fates of the rows of
    the table of items.
    """
    asked, owner = _asked(plan, bucket)
    item, items = codes_of(asked[ITEM])
    columns, counts = _attributes(plan, bucket, items)
    shown = asked["shown"].to_numpy()
    rows = np.bincount(item, weights=shown, minlength=len(items)).astype(np.int64)
    known = columns.pop(KNOWN)
    table = pa.table([items, rows, known, *columns.values()], answer_schema(plan))
    pairs = np.unique(owner * (len(items) + 1) + item)
    who, what = pairs // (len(items) + 1), pairs % (len(items) + 1)
    answers = plan.leave(ITEM_ANSWERS, plan.buckets)
    answers.write(bucket, [(table.take(pa.array(what)), who)], table.schema)
    if plan.asks_for_days:
        _answer_days(plan, bucket, asked, item, owner)
        _leave_levels(plan, bucket, asked, item, table)
    return counts


def _asked(plan: Plan, bucket: int) -> tuple[pa.Table, np.ndarray]:
    """All questions about these items, and whose each is."""
    files = plan.leave(ASKS, plan.item_buckets)
    parts = [files.read(bucket, [number], ASK) for number in range(plan.buckets)]
    owner = np.repeat(np.arange(plan.buckets), [part.num_rows for part in parts])
    return pa.concat_tables(parts).combine_chunks(), owner


def _attributes(
    plan: Plan, bucket: int, items: pa.Array
) -> tuple[dict[str, pa.Array], Counter]:
    """Columns of the items as the table has them, in its order; `KNOWN` too."""
    if plan.reader.items is None:
        return {KNOWN: pa.array(np.ones(len(items), bool))}, Counter()
    schema = plan.parsed_schema("items")
    given = plan.parsed("items").read(bucket, plan.numbers("items"), schema)
    table = unique_rows(given, ITEM)
    place = rows_of(items, table, ITEM)
    is_known = place >= 0
    used = int(is_known.sum())
    counts = table_counts(plan.reader.items.name, given.num_rows, table.num_rows, used)
    found = table.take(pa.array(place, mask=~is_known)).combine_chunks()
    columns = {name: found[name] for name in schema.names if name != ITEM}
    return {KNOWN: pa.array(is_known), **columns}, counts


def before(
    group: np.ndarray, day: np.ndarray, values: Iterable[np.ndarray]
) -> list[np.ndarray]:
    """`[n]` int64 each: sums of a group's values on days before each row's day.

    Args:
        group: `[n]` whole numbers from 0.
        day: `[n]` whole numbers.
        values: `[n]` whole numbers each.
    """
    first = day.min(initial=0)
    width = int(day.max(initial=0) - first) + 1
    pairs, place = np.unique(group * width + (day - first), return_inverse=True)
    # A group's first pair; sums before it are taken off.
    begin = np.searchsorted(pairs, pairs // width * width)
    found = []
    for one in values:
        sums = np.bincount(place, weights=one, minlength=len(pairs)).astype(np.int64)
        total = np.concatenate([[0], np.cumsum(sums)])
        found.append((total[:-1] - total[begin])[place])
    return found


def _answer_days(plan, bucket, asked, item, owner) -> None:
    day = asked["day"].to_numpy()
    values = asked["shown"].to_numpy(), asked["clicked"].to_numpy()
    shown, clicked = before(item, day, values)
    table = pa.table([asked[ITEM], asked["day"], shown, clicked], DAY_ANSWER)
    answers = plan.leave(DAY_ANSWERS, plan.buckets)
    answers.write(bucket, [(table, owner)], DAY_ANSWER)


def _leave_levels(plan, bucket, asked, item, table) -> None:
    """Sums by category and day, of the items that are known."""
    category = plan.reader.features.category
    names = table[category] if category in table.schema.names else None
    values = pa.array([""] * len(table)) if names is None else names.combine_chunks()
    is_known = table[KNOWN].to_numpy()[item]
    value, texts = codes_of(values.fill_null(""))
    day = asked["day"].to_numpy()
    level = add_up(value[item][is_known], texts, day[is_known], asked, is_known)
    plan.leave(LEVELS).write_one(bucket, level)


def add_up(value, texts, day, counted, is_meant) -> pa.Table:
    """Sums of `shown` and `clicked` by value and day; a table of `LEVEL`."""
    first = day.min(initial=0)
    width = int(day.max(initial=0) - first) + 1
    pairs, place = np.unique(value * width + (day - first), return_inverse=True)
    sums = [
        np.bincount(place, weights=counted[name].to_numpy()[is_meant]).astype(np.int64)
        for name in ("shown", "clicked")
    ]
    return pa.table(
        [texts.take(pa.array(pairs // width)), pairs % width + first, *sums], LEVEL
    )
