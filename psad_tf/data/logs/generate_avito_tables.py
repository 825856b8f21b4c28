"""Made-up tables of Avito's context ads: searches, ads and users."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.click_world.chance import stream
from psad_tf.data.logs.generate_lines import (
    chunks,
    constant,
    either,
    id_of,
    joined,
    noise,
    texts,
    write_lines,
    zipf,
)
from psad_tf.data.logs.generate_sessions import Rows

ADS, USERS = "AdsInfo.tsv", "UserInfo.tsv"
_ADS_HEADER = b"AdID\tLocationID\tCategoryID\tParams\tPrice\tTitle\tIsContext\n"
_USERS_HEADER = b"UserID\tUserAgentID\tUserAgentOSID\tUserDeviceID\tUserAgentFamilyID\n"
_START = 1_429_920_000  # 2015-04-25 00:00
# A quotation mark is part of a text, as in 24" for inches.
_QUERIES = ("купить диван", 'монитор 24"', "iphone 5s", "гараж", "коляска")
_PARAMS = "{83:'Обувь', 175:'Женская одежда', 88:'38'}", "{5:'Собаки'}"
_TITLES = ("Диван угловой", 'Монитор 24" Dell', "Гараж, 18 м²", "Коляска 2 в 1")


def lacks_search(number: np.ndarray) -> np.ndarray:
    """`[...]` whether the search with this number is missing in `SearchInfo.tsv`."""
    return number % 503 == 7


def lacks_profile(user: np.ndarray) -> np.ndarray:
    """`[...]` whether the user with this rank is missing in `UserInfo.tsv`."""
    return user % 14 == 9


def lacks_ad(item: np.ndarray) -> np.ndarray:
    """`[...]` whether the ad with this rank is missing in `AdsInfo.tsv`."""
    return item % 97 == 53


def searches(random: np.random.Generator, rows: Rows, users: int) -> pa.Array:
    """`[rows]` one line of `SearchInfo.tsv` for each."""
    size = len(rows.session)
    moments = pa.array(_START + rows.second).cast(pa.timestamp("s"))
    date = pc.binary_join_element_wise(moments.cast(pa.string()), "0", ".")
    return joined(
        [
            texts(rows.session + 1),
            date,
            texts(random.integers(1, 1_000_000, size)),
            texts(id_of(rows.user, users)),
            texts((noise(rows.session, 3) < 0.3).astype(np.int64)),
            _sometimes(random, 0.35, size, _QUERIES),
            texts(1 + zipf(random, size, 4000)),
            texts(1 + zipf(random, size, 60)),
            _sometimes(random, 0.4, size, _PARAMS),
        ],
        "\t",
    )


def write_ads(folder: Path, items: int, seed: int) -> dict[str, dict]:
    """Writes `AdsInfo.tsv` for the ranks of items; returns how many lines."""

    def lines(random: np.random.Generator, rank: np.ndarray) -> list[pa.Array]:
        size = len(rank)
        price = texts(np.round(np.exp(random.normal(8, 2, size))).astype(np.int64))
        return [
            texts(id_of(rank, items)),
            texts(1 + zipf(random, size, 4000)),
            texts(1 + zipf(random, size, 60)),
            _sometimes(random, 0.8, size, _PARAMS),
            either(random.random(size) < 0.05, "", price),
            _sometimes(random, 1, size, _TITLES),
            texts((random.random(size) < 0.6).astype(np.int64)),
        ]

    ranks = np.arange(items)
    return _write(folder / ADS, _ADS_HEADER, ranks[~lacks_ad(ranks)], lines, seed)


def write_users(folder: Path, users: int, seed: int) -> dict[str, dict]:
    """Writes `UserInfo.tsv` for the ranks of users; returns how many lines."""

    def lines(random: np.random.Generator, rank: np.ndarray) -> list[pa.Array]:
        size = len(rank)
        kinds = (50_000, 45, 2_500, 90)
        drawn = (texts(1 + zipf(random, size, number)) for number in kinds)
        return [texts(id_of(rank, users)), *drawn]

    ranks = np.arange(users)
    known = ranks[~lacks_profile(ranks)]
    return _write(folder / USERS, _USERS_HEADER, known, lines, seed)


def _write(
    path: Path,
    header: bytes,
    ranks: np.ndarray,
    lines_of: Callable[[np.random.Generator, np.ndarray], list[pa.Array]],
    seed: int,
) -> dict[str, dict]:
    random = stream(seed, path.name)
    ranks = random.permutation(ranks)
    with open(path, "wb") as file:
        file.write(header)
        for _, begin, end in chunks(len(ranks)):
            write_lines(file, joined(lines_of(random, ranks[begin:end]), "\t"))
    return {path.name: table_answer(len(ranks))}


def table_answer(lines: int) -> dict:
    """What is known of a table whose lines can all be used."""
    return {"read": lines, "set_aside": {}, "left": lines}


def _sometimes(
    random: np.random.Generator, share: float, size: int, words: Sequence[str]
) -> pa.Array:
    """`[size]` one of the texts with probability `share`, else nothing."""
    drawn = pa.array(words).take(pa.array(random.integers(0, len(words), size)))
    return either(random.random(size) < share, drawn, constant("", size))
