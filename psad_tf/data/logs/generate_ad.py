"""Made-up `raw_sample.csv` of Taobao's Ad logs, of any size."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from psad_tf.data.click_world.chance import stream
from psad_tf.data.logs.generate_ad_tables import lacks_ad, write_tables
from psad_tf.data.logs.generate_lines import (
    chunks,
    constant,
    either,
    id_of,
    joined,
    noise,
    shares,
    shuffled,
    texts,
    write_lines,
)
from psad_tf.data.logs.generate_sessions import HOT_ITEM, Rows, Sessions

START = 1_494_000_000  # 2017-05-06 00:00 in China, the first moment of the log
RAW_SAMPLE = "raw_sample.csv"
_HEADER = b"user,time_stamp,adgroup_id,pid,nonclk,clk\n"
_PIDS = "430548_1007", "430539_1007"
_BAD = "wrong_columns", "bad_time", "bad_label"


def generate_ad(rows: int, folder: Path, seed: int, bad_share: float) -> dict:
    """Writes all files of an Ad log.

    Args:
        rows: Lines of `raw_sample.csv` after its header, of whatever kind.
        folder: Where to write.
        seed: Of everything.
        bad_share: Of lines that are malformed, and of lines that stand twice.

    Returns:
        What is known of them; see docs/raw_logs.md.
    """
    log = _AdLog(rows, seed, bad_share)
    tables = write_tables(folder, log.users + 1, log.items, seed, bad_share)
    return {RAW_SAMPLE: log.write(folder), **tables, **log.skew()}


class _AdLog:
    """Writes `raw_sample.csv`, counting what is in it; see `generate_ad`."""

    def __init__(self, rows: int, seed: int, bad_share: float):
        self._rows, self._seed, self._bad_share = rows, seed, bad_share
        self.users, self.items = max(20, rows // 23), max(60, rows // 31)
        self._sessions = Sessions(self.users, self.items, days=8, mean_length=6)
        self._set_aside: Counter[str] = Counter()
        self._clicks = 0
        self._rows_of_user = np.zeros(self.users + 1, np.int64)
        self._rows_of_item = np.zeros(self.items, np.int64)
        self._to_repeat: pa.Array | None = None

    def write(self, folder: Path) -> dict:
        """Writes the file; returns what is known of its lines."""
        with open(folder / RAW_SAMPLE, "wb") as file:
            file.write(_HEADER)
            for number, begin, end in chunks(self._rows):
                random = stream(self._seed, RAW_SAMPLE, number)
                write_lines(file, self._chunk(random, end - begin))
        return {
            "read": self._rows,
            "set_aside": dict(self._set_aside),
            "left": self._rows - self._set_aside.total(),
            "clicks": self._clicks,
            "users": int(np.count_nonzero(self._rows_of_user)),
            "items": int(np.count_nonzero(self._rows_of_item)),
        }

    def skew(self) -> dict:
        """The bot and the hot item, with how many rows of those left each has."""
        bot = int(id_of(np.int64(self.users), self.users + 1))
        item = int(id_of(np.int64(HOT_ITEM), self.items))
        return {
            "bot": {"user": bot, "rows": int(self._rows_of_user[-1])},
            "hot_item": {"item": item, "rows": int(self._rows_of_item[HOT_ITEM])},
        }

    def _chunk(self, random: np.random.Generator, size: int) -> pa.Array:
        bad = int(size * self._bad_share)
        rows = self._sessions.draw(random, size - 2 * bad)
        clicks = _clicks(random, rows, self.users)
        columns = self._columns(random, rows, clicks)
        lines = joined(columns, ",")
        malformed = [
            _malformed(columns, kind, count)
            for kind, count in shares(bad, _BAD).items()
        ]
        repeated = self._repeated(random, rows, lines, bad)
        self._count(rows, clicks, bad)
        return shuffled([lines, repeated, *malformed], random)

    def _columns(
        self, random: np.random.Generator, rows: Rows, clicks: np.ndarray
    ) -> list[pa.Array]:
        return [
            texts(id_of(rows.user, self.users + 1)),
            texts(START + rows.second),
            texts(id_of(rows.item, self.items)),
            either(random.random(len(clicks)) < 0.6, *_PIDS),
            texts(1 - clicks),
            texts(clicks),
        ]

    def _repeated(
        self, random: np.random.Generator, rows: Rows, lines: pa.Array, size: int
    ) -> pa.Array:
        """Lines of the chunk before, so that the two stand far apart."""
        known = np.flatnonzero(~lacks_ad(rows.item))
        chosen = lines.take(pa.array(random.choice(known, size, replace=False)))
        before, self._to_repeat = self._to_repeat, chosen
        return (chosen if before is None else before).slice(0, size)

    def _count(self, rows: Rows, clicks: np.ndarray, bad: int) -> None:
        is_known = ~lacks_ad(rows.item)
        self._set_aside.update(shares(bad, _BAD))
        self._set_aside["duplicate"] += bad
        self._set_aside["unknown_item"] += int((~is_known).sum())
        self._clicks += int(clicks[is_known].sum())
        rows = Rows(*(column[is_known] for column in rows))
        self._rows_of_user += np.bincount(rows.user, minlength=self.users + 1)
        self._rows_of_item += np.bincount(rows.item, minlength=self.items)


def _clicks(random: np.random.Generator, rows: Rows, bot: int) -> np.ndarray:
    """`[rows]` 1 or 0; each item and user has a rate, and 5 % of all are clicks."""
    rate = 0.3 * noise(rows.item, 1) ** 2 * noise(rows.user, 2)
    rate[rows.user == bot] = 0.002
    return (random.random(len(rate)) < rate).astype(np.int64)


def _malformed(columns: list[pa.Array], kind: str, size: int) -> pa.Array:
    """`[size]` lines that cannot be used, made of the first ones that can."""
    cut = [column.slice(0, size) for column in columns]
    if kind == "wrong_columns":
        return joined(cut[:-1], ",")
    at, text = {"bad_time": (1, "yesterday"), "bad_label": (5, "2")}[kind]
    cut[at] = constant(text, size)
    return joined(cut, ",")
