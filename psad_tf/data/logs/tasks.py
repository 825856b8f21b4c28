"""Later tasks of a run, each on one bucket of users: cuts, samples, stored lists."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from psad_tf.data.example_batches import encode_lists
from psad_tf.data.logs import initial_ranker
from psad_tf.data.logs.bucket import Bucket, apply_thresholds, load_bucket
from psad_tf.data.logs.columns import ListColumns, request_ids
from psad_tf.data.logs.cut import Lists, cut_lists, requests, windows
from psad_tf.data.logs.fates import (
    FATES,
    count_fates,
    cuts_of,
    is_stored,
    list_fates,
    long_enough,
)
from psad_tf.data.logs.hashing import stable_hash
from psad_tf.data.logs.joins import codes_of
from psad_tf.data.logs.order import days
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.rates import Rates, item_rates, merge_levels
from psad_tf.data.logs.reader import POSITION, REQUEST
from psad_tf.data.logs.shuffle import write_whole
from psad_tf.data.tfrecords import write_records
from psad_tf.data.windows import FIRST_STAGE, SPLITS, Cuts
from psad_tf.features import INITIAL_SCORE

STARTS = "starts"
START = pa.schema([("start", pa.int64()), ("lists", pa.int64())])


class _Cut(NamedTuple):
    """A bucket's rows within the thresholds, why others are out, and all lists."""

    bucket: Bucket
    reasons: Counter
    lists: Lists


def _cut(plan: Plan, number: int) -> _Cut:
    bucket, reasons = apply_thresholds(plan, load_bucket(plan, number))
    if plan.protocol.window_seconds:
        starts = windows(bucket.user, bucket.time, plan.protocol.window_seconds)
    else:
        starts = requests(codes_of(bucket.rows[REQUEST])[0])
    rules = plan.protocol
    lists = cut_lists(bucket.user, bucket.time, bucket.label, starts, rules)
    return _Cut(bucket, reasons, lists)


def leave_starts(plan: Plan, number: int) -> Counter:
    """Leaves when the lists of a bucket begin, for `find_cuts`."""
    lists = _cut(plan, number).lists
    starts = lists.t_start[long_enough(lists, plan.protocol)]
    table = pa.table([*np.unique(starts, return_counts=True)], schema=START)
    plan.leave(STARTS).write_one(number, table)
    return Counter()


def find_cuts(plan: Plan, number: int) -> Counter:
    """Plans the cuts in time: `cut/<name>`, and `starts`: how many lists begin at all.

    Memory goes with the number of distinct seconds, not with the number of lists. The
    counts of categories, small too, are added up on the way.
    """
    starts, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for bucket in range(plan.buckets):
        table = plan.leave(STARTS).read(0, [bucket], START)
        both = np.concatenate([starts, table["start"].to_numpy()])
        weights = np.concatenate([counts, table["lists"].to_numpy()])
        starts, place = np.unique(both, return_inverse=True)
        counts = np.bincount(place, weights, len(starts)).astype(np.int64)
    if plan.asks_for_days:
        merge_levels(plan)
    found = Counter({"starts": int(counts.sum())})
    cuts = cuts_of(starts, counts, plan.protocol.shares)
    if plan.protocol.by_time and cuts:
        found.update({f"cut/{n}": v for n, v in cuts._asdict().items()})
    return found


def _fates(plan: Plan, cut: _Cut, planned: Mapping[str, int]) -> np.ndarray:
    cuts = None
    if plan.protocol.by_time and planned["starts"]:
        cuts = Cuts(*(planned[f"cut/{name}"] for name in Cuts._fields))
    hashes = stable_hash(cut.bucket.users)[cut.bucket.user[cut.lists.begin]]
    return list_fates(cut.lists, hashes, plan.protocol, cuts, plan.seed)


def leave_sample(plan: Plan, number: int, planned: Mapping[str, int]) -> Counter:
    """Leaves first-stage lists of a bucket for the initial ranker to learn from."""
    cut = _cut(plan, number)
    fates = _fates(plan, cut, planned)
    lists = cut.lists.take(fates == FATES.index(FIRST_STAGE))
    expected = max(1.0, plan.protocol.shares[0] * planned["starts"])
    share = initial_ranker.MAX_LISTS / expected
    drawn = initial_ranker.leave_sample(plan, number, cut.bucket, lists, share)
    return Counter({"initial_ranker/lists": drawn})


def train(plan: Plan, number: int) -> Counter:
    """Trains the initial ranker."""
    initial_ranker.train(plan)
    return Counter()


def make_lists(plan: Plan, number: int, planned: Mapping[str, int]) -> Counter:
    """Writes the lists of a bucket, a file a split.

    Returns:
        `lists/<fate>` and `rows/<impressions>/<fate>`, and the fates of the rows of
        the table of users.
    """
    bucket, reasons, lists = cut = _cut(plan, number)
    fates = _fates(plan, cut, planned)
    stored = lists.take(is_stored(fates))
    made = _made(plan, bucket, stored)
    rows, end = _ordered(plan, bucket, stored, made.get(INITIAL_SCORE))
    is_candidate = np.zeros(len(bucket.time), bool)
    is_candidate[rows] = True
    by_list, by_row = count_fates(
        lists, fates, is_candidate, bucket.label, plan.protocol
    )
    name = f"rows/{plan.reader.impressions.name}"
    counts = Counter({f"lists/{fate}": n for fate, n in by_list.items()})
    counts.update({f"{name}/{fate}": n for fate, n in (reasons + by_row).items()})
    counts.update(bucket.counts)
    examples = _encoded(plan, bucket, stored, rows, end, made)
    splits = fates[is_stored(fates)]
    # An order that looks random and is the same each time.
    order = np.argsort(bucket.tie[stored.begin], kind="stable")
    for split, text in enumerate(SPLITS):
        chosen = order[splits[order] == split].tolist()
        records = [examples[index] for index in chosen]
        write_whole(
            list_path(plan, text, number),
            lambda file, r=records: write_records(file, r),
        )
    return counts


def list_path(plan: Plan, split: str, number: int) -> str:
    """Where the lists of a split and a bucket are."""
    return FileSystems.join(plan.folder, f"lists-{split}-{number:06d}.tfrecord.gz")


def _made(plan: Plan, bucket: Bucket, lists: Lists) -> dict[str, np.ndarray]:
    """`[rows]` features that are made; 0 in rows of no list."""
    if not plan.asks_for_days:
        return {}
    rows, _ = lists.rows()
    part, rates = bucket.take(rows), Rates(plan)
    _, day = days(plan, part.time)
    made = item_rates(part, rates.prior(day))
    if plan.reader.initial_ranker:
        made[INITIAL_SCORE] = initial_ranker.score(plan, part, rates)
    found = {name: np.zeros(len(bucket.time)) for name in made}
    for name, values in made.items():
        found[name][rows] = values
    return found


def _ordered(
    plan: Plan, bucket: Bucket, lists: Lists, score: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The candidates of lists in their initial order, the first ones of each.

    Returns:
        Rows, list after list; and `[lists]` one past each list's last one.
    """
    rows, which = lists.rows()
    if score is None:
        key = bucket.rows[POSITION].to_numpy()[rows]
    else:
        key = -score[rows]
    order = np.lexsort((bucket.tie[rows], key, which))
    rows = rows[order]
    place = np.arange(len(rows)) - (np.cumsum(lists.size) - lists.size)[which]
    kept = np.minimum(lists.size, plan.protocol.list_length)
    return rows[place < plan.protocol.list_length], np.cumsum(kept)


def _encoded(plan, bucket, lists, rows, end, made) -> list[bytes]:
    features = plan.reader.features
    columns = ListColumns(features, bucket, made).of(lists, rows, end)
    by_request = REQUEST in bucket.rows.schema.names
    requests_ = bucket.rows[REQUEST] if by_request else None
    names = request_ids(bucket, lists, requests_)
    starts = lists.t_start.tolist()
    return list(encode_lists(columns, names, starts, features))
