"""Joins of columns: codes for texts, rows by key, the join with a log's requests."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.parse import bucket_of
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.reader import REQUEST, USER


def codes_of(texts: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """Texts as whole numbers.

    Returns:
        `[n]` int64 indices into the distinct texts, which are sorted: so codes do not
        depend on the order of rows.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    found = texts.dictionary_encode()
    order = pc.array_sort_indices(found.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[found.indices.to_numpy()], found.dictionary.take(pa.array(order))


def unique_rows(table: pa.Table, key: str) -> pa.Table:
    """One row a key: the first by its values, so the order of lines plays no part."""
    if pc.count_distinct(table[key]).as_py() == table.num_rows:
        return table
    names = [key, *(name for name in table.schema.names if name != key)]
    table = table.sort_by([(name, "ascending") for name in names]).combine_chunks()
    codes, _ = codes_of(table[key])
    return table.filter(pa.array(np.diff(codes, prepend=-1) != 0))


def rows_of(keys: pa.Array, table: pa.Table, key: str) -> np.ndarray:
    """`[n]` int64: each key's row in a table of distinct keys; -1 for none."""
    found = pc.index_in(keys, value_set=table[key].combine_chunks())
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def table_counts(name: str, read: int, kept: int, used: int) -> Counter:
    """What became of the rows of a table that others are joined with."""
    fates = {"duplicate": read - kept, "used": used, "unused": kept - used}
    return Counter({f"rows/{name}/{fate}": n for fate, n in fates.items()})


def join_requests(plan: Plan, bucket: int) -> Counter:
    """Gives impressions of a bucket of requests their user and time.

    Leaves them by user. Returns the fates of the requests' rows, and
    `rows/<impressions>/unknown_request`.
    """
    shown = _read(plan, "impressions", bucket)
    given = _read(plan, "requests", bucket)
    requests = unique_rows(given, REQUEST)
    place = rows_of(shown[REQUEST].combine_chunks(), requests, REQUEST)
    is_known = place >= 0
    known = shown.filter(pa.array(is_known))
    columns = requests.drop_columns([REQUEST]).take(pa.array(place[is_known]))
    for name in columns.schema.names:
        known = known.append_column(name, columns[name])
    out, _, schema = plan.rows()
    out.write(bucket, [(known, bucket_of(known[USER], plan.buckets))], schema)
    used = len(np.unique(place[is_known]))
    name = plan.reader.requests.name
    counts = table_counts(name, given.num_rows, requests.num_rows, used)
    counts[f"rows/{plan.reader.impressions.name}/unknown_request"] = int(
        np.sum(~is_known)
    )
    return counts


def _read(plan: Plan, role: str, bucket: int) -> pa.Table:
    schema = plan.parsed_schema(role)
    return plan.parsed(role).read(bucket, plan.numbers(role), schema)
