"""Made-up raw files in the format of PRM Public, of any size."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.click_world.chance import stream
from psad_tf.data.logs.generate_lines import (
    among,
    constant,
    either,
    id_of,
    joined,
    noise,
    shares,
    texts,
    write_lines,
    zipf,
)

PARTS = "set1.train.txt.part1", "set1.train.txt.part2"
ITEMS = 30  # of a page
_CHUNK = 4096  # pages that are held in memory at once
_BAD = "wrong_columns", "bad_json", "bad_label"
_KINDS = 256, 4, 8, 4  # values of an item's categories
_BASIC, _OPTIONAL = 7, 12


def generate_prm_public(rows: int, folder: Path, seed: int, bad_share: float) -> dict:
    """Writes both parts; `rows` are lines, thirty items each; see `generate_ad`."""
    pages = _Pages(max(10, rows // 19), max(100, 2 * rows), bad_share)
    answers, begin = {}, 0
    for part, name in enumerate(PARTS):
        read = rows // 2 if part == 0 else rows - rows // 2
        set_aside: Counter[str] = Counter()
        with open(folder / name, "wb") as file:
            for chunk, done in enumerate(range(0, read, _CHUNK)):
                random = stream(seed, name, chunk)
                size = min(_CHUNK, read - done)
                lines, kinds = pages.draw(random, begin + done, size)
                set_aside.update(kinds)
                write_lines(file, lines)
        begin += read
        left = read - set_aside.total()
        answers[name] = {"read": read, "set_aside": dict(set_aside), "left": left}
    return answers


class _Pages:
    """Draws lines; see `generate_prm_public`."""

    def __init__(self, users: int, items: int, bad_share: float):
        self._users, self._items, self._bad_share = users, items, bad_share

    def draw(
        self, random: np.random.Generator, begin: int, size: int
    ) -> tuple[pa.Array, dict[str, int]]:
        """Some lines, and how many of them are malformed in which way."""
        kinds = shares(int(size * self._bad_share), _BAD)
        bad = sum(kinds.values())
        columns = self._columns(random, begin, size - bad)
        malformed = [_malformed(columns, *kind) for kind in kinds.items()]
        return among(joined(columns, "|"), malformed, random), kinds

    def _columns(
        self, random: np.random.Generator, begin: int, size: int
    ) -> list[pa.Array]:
        page = begin + np.arange(size)
        # Every user comes back after as many pages as there are users.
        user = id_of(page % self._users, self._users)
        item = _distinct(zipf(random, size * ITEMS, self._items - ITEMS), size)
        basic = random.normal(size=(size * ITEMS, _BASIC)).round(6)
        optional = random.normal(size=(size * ITEMS, _OPTIONAL)).round(6)
        position = np.tile(np.arange(1, ITEMS + 1), size)
        rate = (0.3 + 0.1 * basic[:, 0].clip(-2, 2)) / position**0.7
        clicks = (random.random(size * ITEMS) < rate).astype(np.int64)
        codes = [texts(id_of(item, self._items))]
        codes += [
            texts((noise(item, salt) * kinds).astype(np.int64) + 1)
            for salt, kinds in enumerate(_KINDS)
        ]
        return [
            texts(user),
            _profiles(random, user),
            _nested(_nested(_woven(codes), len(codes)), ITEMS),
            _nested(_nested(texts(basic.ravel()), _BASIC), ITEMS),
            _nested(_nested(texts(optional.ravel()), _OPTIONAL), ITEMS),
            _nested(either(clicks == 1, "1.0", constant("0.0", len(clicks))), ITEMS),
        ]


def _profiles(random: np.random.Generator, user: np.ndarray) -> pa.Array:
    """`[users]` three numbers each, of which one user in 20 lacks the first."""
    whole = [
        texts((noise(user, salt) * kinds).astype(np.int64) + 1)
        for salt, kinds in enumerate((8, 4, 8), start=10)
    ]
    floats = [pc.binary_join_element_wise(text, "0", ".") for text in whole]
    floats[0] = either(noise(user, 20) < 0.05, "null", floats[0])
    return _nested(_woven(floats), 3)


def _distinct(rank: np.ndarray, pages: int) -> np.ndarray:
    """The ranks with none twice on a page, in an order that says nothing of them."""
    ordered = np.sort(rank.reshape(pages, ITEMS), axis=1) + np.arange(ITEMS)
    shuffled = np.argsort(noise(rank + np.arange(len(rank)), 30).reshape(pages, ITEMS))
    return np.take_along_axis(ordered, shuffled, axis=1).ravel()


def _woven(columns: list[pa.Array]) -> pa.Array:
    """The first values of all columns, then the second ones, and so on."""
    size, number = len(columns[0]), len(columns)
    order = np.arange(size * number).reshape(number, size).T.ravel()
    return pa.concat_arrays(columns).take(pa.array(order))


def _nested(values: pa.Array, size: int) -> pa.Array:
    """Each `size` values as one JSON array."""
    offsets = pa.array(np.arange(0, len(values) + 1, size, dtype=np.int32))
    inner = pc.binary_join(pa.ListArray.from_arrays(offsets, values), ", ")
    return pc.binary_join_element_wise("[", inner, "]", "")


def _malformed(columns: list[pa.Array], kind: str, size: int) -> pa.Array:
    """`[size]` lines that cannot be used, made of the first ones that can."""
    cut = [column.slice(0, size) for column in columns]
    if kind == "wrong_columns":
        return joined(cut[:-1], "|")
    if kind == "bad_json":
        cut[1] = constant("[1.0, 2.0", size)
    else:
        cut[5] = _nested(constant("2.0", size * ITEMS), ITEMS)
    return joined(cut, "|")
