"""Small logs as raw files, and what the tasks of a run make of them, without Beam."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from reference_lists import Chance, Row

from psad_tf.data.logs import tasks
from psad_tf.data.logs.answers import answer_items
from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.hashing import share, stable_hash, tie
from psad_tf.data.logs.order import order_bucket
from psad_tf.data.logs.parse import parse_range
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.reader import Reader
from psad_tf.data.logs.tables import Column, Kind, Table
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet
from psad_tf.features import Kind as FeatureKind

SEED = 3
KNOWN = tuple(f"i{number}" for number in range(6))  # i6 and i7 are in no table
FEATURES = FeatureSet(
    name="drawn",
    user=(
        Feature("user_id", FeatureKind.CATEGORICAL),
        Feature("user_row_count", FeatureKind.BUCKETIZED, (1, 5)),
    ),
    item=(Feature(ITEM_ID, FeatureKind.CATEGORICAL),),
    candidate=(Feature(INITIAL_SCORE, FeatureKind.NUMERIC),),
    history=(Feature("log_hours_ago", FeatureKind.NUMERIC),),
    list_length=3,
    history_length=4,
)


def _with_score(rows: pa.Table) -> pa.Table:
    score = pa.array(-rows["position"].to_numpy().astype(np.float64))
    return rows.append_column(INITIAL_SCORE, score)


_COLUMNS = (
    Column("user", "user", Kind.ID),
    Column("item", "item", Kind.ID),
    Column("time", "time", Kind.WHOLE),
    Column("clicked", "label", Kind.FLAG),
    Column("position", "position", Kind.WHOLE),
)
_ITEMS = Table("items", ("items.csv",), Delimited((Column("item", "item", Kind.ID),)))


def reader_of(protocol, by_request: bool) -> Reader:
    """A reader of what `write_raw` writes."""
    columns = _COLUMNS
    if by_request:
        columns = (*_COLUMNS, Column("request", "request", Kind.ID))
    shown = Table("shown", ("shown.csv",), Delimited(columns), derive=_with_score)
    return Reader(FEATURES, {"paper": protocol}, shown, items=_ITEMS)


@st.composite
def logs(draw, by_request: bool):
    """Rows of few users and items, often within minutes, in any order in the file."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    users, items = draw(st.integers(1, 4)), draw(st.integers(2, len(KNOWN) + 2))
    # Seconds between a row and the next one.
    gaps = draw(st.lists(st.sampled_from([0, 1, 60, 299, 300, 301, 5000]), min_size=1))
    rows, time = [], 1_000_000
    for _ in range(draw(st.integers(1, 120))):
        user, item = random.integers(users), random.integers(items)
        time += int(random.choice([0, 0, 0, *gaps]))
        # Rows of one key differ in nothing but the click, or when they were logged.
        place = int(item * 5 + time) % 7
        request = f"u{user}-{time}" if by_request else ""
        logged = time + int(random.integers(400)) * by_request
        clicked = int(random.random() < 0.3)
        rows.append(Row(f"u{user}", f"i{item}", logged, clicked, request, place))
    return [rows[number] for number in random.permutation(len(rows))]


def write_raw(folder: Path, rows: list[Row]) -> None:
    lines = [
        f"{r.user},{r.item},{r.time},{r.clicked},{r.position},{r.request}" for r in rows
    ]
    header = "user,item,time,clicked,position,request"
    (folder / "shown.csv").write_text("\n".join([header, *lines]) + "\n")
    (folder / "items.csv").write_text("\n".join(["item", *KNOWN]) + "\n")


def chance() -> Chance:
    """The engine's own hashes; the score falls with the position."""

    def hashed(text):
        return stable_hash([text])

    return Chance(
        lambda user, item: int(tie(hashed(user), hashed(item))[0]),
        lambda user: float(share(SEED, hashed(user))[0]),
        lambda row: -row.position,
    )


def run_tasks(folder: Path, reader: Reader, protocol) -> tuple[Counter, dict]:
    """Does the tasks one after another, with tiny ranges and buckets.

    Returns:
        The counts, and split → its lists.
    """
    work = folder / "work"
    work.mkdir()
    plan = Plan.make(
        reader, protocol, str(folder), str(work), 200, 300, seed=SEED, max_bad_share=1.0
    )
    counts = Counter()
    for number in range(len(plan.ranges)):
        counts.update(parse_range(plan, number))
    for task, numbers in (
        (order_bucket, plan.buckets),
        (answer_items, plan.item_buckets),
        (tasks.leave_starts, plan.buckets),
    ):
        for number in range(numbers):
            counts.update(task(plan, number))
    planned = tasks.find_cuts(plan, 0)
    for number in range(plan.buckets):
        counts.update(tasks.make_lists(plan, number, planned))
    return counts, {split: _stored(folder, plan, split) for split in SPLITS}


def _stored(folder: Path, plan: Plan, split: str) -> list:
    target = folder / split
    target.mkdir()
    for number in range(plan.buckets):
        path = Path(tasks.list_path(plan, split, number))
        path.rename(target / path.name)
    return list(read_lists(target, FEATURES))
