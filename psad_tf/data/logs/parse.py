"""The first stage: a range of a raw file to columns, cut by user, item or request."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.hashing import stable_hash
from psad_tf.data.logs.plan import KEYS, Plan
from psad_tf.data.logs.ranges import RANGE_BYTES, Range, blocks, header_lines
from psad_tf.data.logs.reader import REQUEST, TIME, USER
from psad_tf.data.logs.tables import Bad, Table

QUARANTINE = "quarantine"
_ROW_BITS = 32  # of a time that is only an order: range number, then row
QUARANTINE_SCHEMA = pa.schema(
    [("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())]
)


def parse_range(plan: Plan, number: int) -> Counter:
    """Parses one range and leaves its rows for the buckets' tasks.

    Returns:
        `rows/<table>/read`, `rows/<table>/<reason>` of rows set aside here,
        `lines/<file>`, `bad/<file>/<reason>`, and of the range `range/<number>` (its
        lines, with the header) and `bad_lines/<number>`.
    """
    one = plan.ranges[number]
    table = plan.reader.tables[one.role]
    counts: Counter = Counter()
    bad: list[Bad] = []
    shuffle = plan.parsed(one.role)
    rows = _parsed(plan, one, table, counts, bad)
    key = (
        REQUEST
        if plan.reader.requests and one.role == "impressions"
        else KEYS[one.role]
    )
    tables = ((found, bucket_of(found[key], shuffle.buckets)) for found in rows)
    shuffle.write(number, tables, plan.parsed_schema(one.role))
    if bad:
        counts[f"bad_lines/{number}"] = len(bad)
        columns = zip(*bad, strict=True)
        written = pa.table([pa.array(c) for c in columns], schema=QUARANTINE_SCHEMA)
        plan.leave(QUARANTINE).write_one(number, written)
    return counts


def bucket_of(texts: pa.ChunkedArray, buckets: int) -> np.ndarray:
    """`[n]` int64: the bucket of each row by its key."""
    found = texts.combine_chunks().dictionary_encode()
    hashes = stable_hash(found.dictionary) % np.uint64(buckets)
    return hashes.astype(np.int64)[found.indices.to_numpy()]


def _parsed(
    plan: Plan, one: Range, table: Table, counts: Counter, bad: list[Bad]
) -> Iterator[pa.Table]:
    """The range's accepted rows, a block at a time."""
    line = header_lines(one)
    row = one.number << _ROW_BITS
    for block in blocks(one, RANGE_BYTES):
        parsed = table.parser.parse(block, one.header)
        counts[f"lines/{one.file.name}"] += parsed.lines
        counts[f"rows/{table.name}/read"] += parsed.rows.num_rows + len(parsed.bad)
        for found in parsed.bad:
            counts[f"bad/{one.file.name}/{found.reason}"] += 1
            counts[f"rows/{table.name}/{found.reason}"] += 1
            # The text of a bad line may name a user.
            text = "" if plan.salt else found.text
            bad.append(found._replace(line=found.line + line, text=text))
        line += parsed.lines
        rows = table.derive(parsed.rows) if table.derive else parsed.rows
        if TIME in plan.parsed_schema(one.role).names and TIME not in rows.schema.names:
            order = np.arange(row, row + rows.num_rows)
            rows = rows.append_column(TIME, pa.array(order))
        row += rows.num_rows
        rows = _accepted(rows, table, counts)
        if plan.salt and USER in rows.schema.names:
            users = plan.salt.apply(rows[USER].combine_chunks())
            rows = rows.set_column(rows.schema.get_field_index(USER), USER, users)
        yield rows.combine_chunks()
    counts[f"range/{one.number}"] = line


def _accepted(rows: pa.Table, table: Table, counts: Counter) -> pa.Table:
    """The rows that the table's own rules do not reject; the first reason wins."""
    if table.reject is None:
        return rows
    is_rejected = pa.array(np.zeros(rows.num_rows, bool))
    for reason, is_meant in table.reject(rows).items():
        is_meant = pc.and_not(is_meant, is_rejected)
        counts[f"rows/{table.name}/{reason}"] += pc.sum(is_meant).as_py() or 0
        is_rejected = pc.or_(is_rejected, is_meant)
    return rows.filter(pc.invert(is_rejected))
