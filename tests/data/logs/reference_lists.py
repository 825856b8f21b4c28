"""What becomes of a log's rows, in plain loops: slow, and short enough to check by eye.

The rules are those of docs/raw_logs.md, in the same order. Rows are given as read, that
is behind the checks of lines and the joins of tables but for unknown items.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from psad_tf.data.logs.protocol import Protocol

SPLITS = ("train", "validation", "test")


class Row(NamedTuple):
    """One impression; `request` is empty where lists are made of windows in time."""

    user: str
    item: str
    time: int
    clicked: int
    request: str = ""
    position: int = 0


@dataclass
class Listed:
    """One list, stored or not."""

    request_id: str
    t_start: int
    t_newest: int
    rows: list[Row]  # the list's own, stored or not
    history: list[Row]  # oldest first
    row_count: int
    over_length: list[Row]
    fate: str = ""
    shown: list[Row] = field(default_factory=list)  # in the initial order


class Chance(NamedTuple):
    """What the engine draws by hashes, as functions."""

    tie: Callable[[str, str], int]  # of user and item
    share: Callable[[str], float]  # of a user
    score: Callable[[Row], float] = lambda row: 0.0


def outcome(
    rows: Iterable[Row], known_items: set[str], protocol: Protocol, chance: Chance
) -> tuple[list[Listed], Counter]:
    """Every list with its fate, and how many rows met which end."""
    ends = Counter()
    rows = distinct(at_one_time(list(rows)), ends)
    rows = known(rows, known_items, ends)
    rows = above_thresholds(rows, protocol, ends)
    lists = []
    for of_user in by_user(rows).values():
        lists += lists_of_user(of_user, protocol, chance)
    cuts = time_cuts(lists, protocol)
    for one in lists:
        one.fate = fate(one, protocol, cuts, chance)
    count_ends(rows, lists, ends)
    return lists, ends


def at_one_time(rows):
    """The rows of a request are all of the time of the first of them."""
    return [
        row._replace(time=min(r.time for r in rows if r.request == row.request))
        if row.request
        else row
        for row in rows
    ]


def distinct(rows, ends):
    """Of rows with one key one is kept, and a clicked one before the others."""
    kept = {}
    for row in rows:
        key = (row.request or (row.user, row.time)), row.item
        if key in kept:
            ends["duplicate"] += 1
        if key not in kept or row.clicked > kept[key].clicked:
            kept[key] = row
    return list(kept.values())


def known(rows, known_items, ends):
    ends["unknown_item"] += sum(row.item not in known_items for row in rows)
    return [row for row in rows if row.item in known_items]


def above_thresholds(rows, protocol, ends):
    """Items first, then users on the rows that are left; each looked at once."""
    of_item = Counter(row.item for row in rows)
    left = [row for row in rows if of_item[row.item] >= protocol.min_item_rows]
    ends["item_below_minimum"] += len(rows) - len(left)
    passed = []
    for of_user in by_user(left).values():
        if len(of_user) < protocol.min_user_rows:
            ends["user_below_minimum"] += len(of_user)
        elif protocol.needs_click and not any(row.clicked for row in of_user):
            ends["user_without_click"] += len(of_user)
        else:
            passed += of_user
    return passed


def by_user(rows):
    found = defaultdict(list)
    for row in rows:
        found[row.user].append(row)
    return found


def windows(rows: Sequence[Row], seconds: int) -> list[list[Row]]:
    """Anchored at the newest row, over and over; oldest window first."""
    rest = list(rows)
    found = []
    while rest:
        newest = rest[-1].time
        window = [row for row in rest if newest - row.time <= seconds]
        rest = [row for row in rest if newest - row.time > seconds]
        found.insert(0, window)
    return found


def requests(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each request by position; oldest request first."""
    found = defaultdict(list)
    for row in rows:
        found[row.request].append(row)
    pages = [sorted(page, key=lambda row: row.position) for page in found.values()]
    return sorted(pages, key=lambda page: (page[0].time, page[0].request))


def lists_of_user(rows, protocol, chance):
    def place(row):
        return row.time, chance.tie(row.user, row.item)

    rows = sorted(rows, key=place)
    if protocol.window_seconds:
        groups = windows(rows, protocol.window_seconds)
    else:
        groups = requests(rows)
    chosen = groups
    if protocol.one_list:
        chosen = [group for group in groups if any(row.clicked for row in group)][-1:]
    lists, before = [], []
    for group in groups:
        if group in chosen:
            lists += lists_of_group(group, before, protocol)
        before += group
    for one in lists:
        one.shown = initial_order(one.rows, protocol, chance)[: protocol.list_length]
    return lists


def lists_of_group(group, before, protocol):
    clicked = [row for row in before if row.clicked]
    t_start, t_newest = (pick(row.time for row in group) for pick in (min, max))
    beyond = group[protocol.window_length or len(group) :]
    return [
        Listed(
            group[0].request or f"{group[0].user}-{t_start}-{number}",
            t_start,
            t_newest,
            part,
            clicked[-protocol.history_length :],
            len(before),
            beyond,
        )
        for number, part in enumerate(parts(group, protocol))
    ]


def parts(group, protocol):
    """Chunks of the list's length; or the group's begin alone."""
    if protocol.window_length:
        return [group[: protocol.window_length]]
    length = protocol.list_length
    return [group[begin : begin + length] for begin in range(0, len(group), length)]


def initial_order(rows, protocol, chance):
    """The best score first; a request's rows are in the order shown."""
    if not protocol.window_seconds:
        return rows
    return sorted(rows, key=lambda r: (-chance.score(r), chance.tie(r.user, r.item)))


def time_cuts(lists, protocol):
    if not protocol.by_time:
        return []
    starts = sorted(x.t_start for x in lists if len(x.rows) >= protocol.min_candidates)
    shares, cuts = 0.0, []
    for share in protocol.shares:
        shares += share
        at = int(round(shares * len(starts), 6))
        cuts += starts[at : at + 1]
    return cuts


def fate(one, protocol, cuts, chance):
    if len(one.rows) < protocol.min_candidates:
        return "too_few_candidates"
    if protocol.both_labels and len({row.clicked for row in one.rows}) < 2:
        return "one_label_only"
    if any(one.t_start < cut <= one.t_newest for cut in cuts):
        return "straddles_a_cut"
    periods = ("first_stage_period", *SPLITS)
    if protocol.by_time:
        return periods[sum(one.t_start >= cut for cut in cuts)]
    drawn, shares = chance.share(one.rows[0].user), 0.0
    for period, share in zip(periods, protocol.shares, strict=False):
        shares += share
        if drawn < shares:
            return period
    return periods[-1]


def count_ends(rows, lists, ends):
    """Each row's one end; of rows in no stored list, history comes first."""
    reason = dict.fromkeys(rows, "other_window")
    for one in lists:
        is_stored = one.fate in SPLITS
        for row in one.over_length:
            reason[row] = "over_window_length"
        for row in one.rows:
            is_below = is_stored and row not in one.shown
            reason[row] = "below_initial_cut" if is_below else one.fate
    of_history = {r for one in lists if one.fate in SPLITS for r in one.history}
    for row in of_history:
        if reason[row] not in SPLITS:
            reason[row] = "history_only"
    ends.update(reason.values())
