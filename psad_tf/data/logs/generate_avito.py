"""Made-up raw files in the format of Avito's context ads, of any size."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from psad_tf.data.click_world.chance import stream
from psad_tf.data.logs.generate_avito_tables import (
    lacks_ad,
    lacks_search,
    searches,
    table_answer,
    write_ads,
    write_users,
)
from psad_tf.data.logs.generate_lines import (
    among,
    chunks,
    constant,
    either,
    id_of,
    joined,
    noise,
    shares,
    texts,
    write_lines,
)
from psad_tf.data.logs.generate_sessions import Rows, Sessions

STREAM, SEARCHES = "trainSearchStream.tsv", "SearchInfo.tsv"
_STREAM_HEADER = b"SearchID\tAdID\tPosition\tObjectType\tHistCTR\tIsClick\n"
_SEARCH_HEADER = (
    b"SearchID\tSearchDate\tIPID\tUserID\tIsUserLoggedOn\tSearchQuery\tLocationID\t"
    b"CategoryID\tSearchParams\n"
)
_CONTEXT = 3  # the type of ads that have a label
_BAD = "wrong_columns", "bad_position", "empty_request"
_LONGEST = 40


def generate_avito(rows: int, folder: Path, seed: int, bad_share: float) -> dict:
    """Writes the five files that lists are made of; see `generate_ad`."""
    log = _AvitoLog(rows, seed, bad_share)
    tables = {
        **write_ads(folder, log.items, seed),
        **write_users(folder, log.users + 1, seed),
    }
    return {**log.write(folder), **tables}


class _AvitoLog:
    """Writes the searches and what they showed, counting what is in both."""

    def __init__(self, rows: int, seed: int, bad_share: float):
        self._rows, self._seed, self._bad_share = rows, seed, bad_share
        self.users, self.items = max(20, rows // 60), max(120, rows // 15)
        self._sessions = Sessions(self.users, self.items - _LONGEST, 24, 3.5)
        self._set_aside: Counter[str] = Counter()
        self._clicks = self._searches = 0

    def write(self, folder: Path) -> dict:
        """Writes both files; returns what is known of their lines."""
        with (
            open(folder / STREAM, "wb") as shown,
            open(folder / SEARCHES, "wb") as searched,
        ):
            shown.write(_STREAM_HEADER)
            searched.write(_SEARCH_HEADER)
            for number, begin, end in chunks(self._rows):
                random = stream(self._seed, STREAM, number)
                bad = int((end - begin) * self._bad_share)
                rows = self._sessions.draw(random, end - begin - 2 * bad)
                write_lines(shown, self._stream(random, rows, bad))
                write_lines(searched, self._infos(random, rows))
        return {
            STREAM: {
                "read": self._rows,
                "set_aside": dict(self._set_aside),
                "left": self._rows - self._set_aside.total(),
                "clicks": self._clicks,
            },
            SEARCHES: table_answer(self._searches),
        }

    def _stream(self, random: np.random.Generator, rows: Rows, bad: int) -> pa.Array:
        rows, position = _distinct(random, rows)
        size = len(position)
        kind = random.choice([1, 2, _CONTEXT], size, p=[0.3, 0.1, 0.6])
        rate = np.round(0.3 * noise(rows.item, 1) ** 2 + 1e-6, 6)
        clicks = (random.random(size) < rate / position**0.5).astype(np.int64)
        is_context = kind == _CONTEXT
        columns = [
            texts(rows.session + 1),
            texts(id_of(rows.item, self.items)),
            texts(position),
            texts(kind),
            either(is_context, texts(rate), ""),
            either(is_context, texts(clicks), ""),
        ]
        lines = joined(columns, "\t")
        kinds = shares(bad, _BAD)
        malformed = [_malformed(columns, k, count) for k, count in kinds.items()]
        is_known = is_context & ~lacks_search(rows.session)
        again = random.choice(np.flatnonzero(is_known), bad, replace=False)
        repeated = lines.take(pa.array(again))
        is_left = is_known & ~lacks_ad(rows.item)
        self._clicks += int(clicks[is_left].sum())
        self._set_aside.update(kinds)
        self._set_aside += Counter(
            no_label=int((~is_context).sum()),
            unknown_request=int((is_context & ~is_known).sum()),
            duplicate=bad,
            unknown_item=int((is_known & ~is_left).sum()),
        )
        return among(lines, [repeated, *malformed], random)

    def _infos(self, random: np.random.Generator, rows: Rows) -> pa.Array:
        """One line a search."""
        first = np.flatnonzero(np.diff(rows.session, prepend=-1))
        first = first[~lacks_search(rows.session[first])]
        begun = Rows(*(column[first] for column in rows))
        self._searches += len(first)
        return searches(random, begun, self.users + 1)


def _distinct(random: np.random.Generator, rows: Rows) -> tuple[Rows, np.ndarray]:
    """The rows with no item twice in a session, and their positions there from 1."""
    order = np.lexsort((rows.item, rows.session))
    session = rows.session[order]
    first = np.searchsorted(session, session)
    place = np.arange(len(session)) - first
    item = rows.item[order] + place
    rows = rows._replace(user=rows.user[order], item=item, session=session)
    shown = np.lexsort((random.random(len(session)), session))
    return Rows(*(column[shown] for column in rows)), place + 1


def _malformed(columns: list[pa.Array], kind: str, size: int) -> pa.Array:
    """`[size]` lines that cannot be used, made of the first ones that can."""
    cut = [column.slice(0, size) for column in columns]
    if kind == "wrong_columns":
        return joined(cut[:-1], "\t")
    at, text = {"bad_position": (2, "top"), "empty_request": (0, "")}[kind]
    cut[at] = constant(text, size)
    return joined(cut, "\t")
