"""Made-up tables of Taobao's Ad logs: ads, users, and what users did elsewhere."""

from collections.abc import Callable
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
    shuffled,
    texts,
    write_lines,
    zipf,
)

AD_FEATURE, USER_PROFILE = "ad_feature.csv", "user_profile.csv"
BEHAVIOR_LOG = "behavior_log.csv"
_AD_HEADER = b"adgroup_id,cate_id,campaign_id,customer,brand,price\n"
# The space before the line end is in the published file.
_USER_HEADER = (
    b"userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,"
    b"shopping_level,occupation,new_user_class_level \n"
)
_BEHAVIOR_HEADER = b"user,time_stamp,btag,cate,brand\n"
_CATEGORIES, _BRANDS = 5525, 99_815
_BEHAVIOR_START, _BEHAVIOR_SECONDS = 1_492_704_000, 22 * 86_400
_ACTIONS = np.array(["pv"] * 90 + ["cart"] * 5 + ["fav"] * 3 + ["buy"] * 2)

_Columns = Callable[[np.random.Generator, np.ndarray], list[pa.Array]]


def lacks_ad(item: np.ndarray) -> np.ndarray:
    """`[...]` whether the ad with this rank is missing in `ad_feature.csv`."""
    return item % 97 == 53


def lacks_profile(user: np.ndarray) -> np.ndarray:
    """`[...]` whether the user with this rank is missing in `user_profile.csv`."""
    return user % 14 == 9


def write_tables(
    folder: Path, users: int, items: int, seed: int, bad_share: float
) -> dict[str, dict]:
    """Writes the three files.

    Args:
        folder: Where to write.
        users: How many ranks of users there are.
        items: How many ranks of items there are.
        seed: Of everything.
        bad_share: Malformed lines by good ones; as many lines stand twice.

    Returns:
        For each file, how many lines were written of what kind.
    """

    def ads(random, rank):
        return _ads(random, id_of(rank, items))

    def profiles(random, rank):
        return _profiles(random, id_of(rank, users))

    def behavior(random, rank):
        return _behavior(random, id_of(rank % users, users))

    known_ads = np.flatnonzero(~lacks_ad(np.arange(items)))
    known_users = np.flatnonzero(~lacks_profile(np.arange(users)))
    tables = {
        AD_FEATURE: (_AD_HEADER, known_ads, ads),
        USER_PROFILE: (_USER_HEADER, known_users, profiles),
        BEHAVIOR_LOG: (_BEHAVIOR_HEADER, np.arange(2 * users), behavior),
    }
    return {
        name: _write(folder / name, *table, seed, bad_share)
        for name, table in tables.items()
    }


def _write(
    path: Path,
    header: bytes,
    ranks: np.ndarray,
    columns_of: _Columns,
    seed: int,
    bad_share: float,
) -> dict:
    """Every rank's line in random order, with malformed and repeated lines between."""
    random = stream(seed, path.name)
    ranks, bad = random.permutation(ranks), 0
    with open(path, "wb") as file:
        file.write(header)
        for _, begin, end in chunks(len(ranks)):
            columns = columns_of(random, ranks[begin:end])
            lines, cut = joined(columns, ","), joined(columns[:-1], ",")
            some = int(len(lines) * bad_share)
            parts = lines, lines.slice(0, some), cut.slice(0, some)
            write_lines(file, shuffled(parts, random))
            bad += some
    read = len(ranks) + 2 * bad
    set_aside = {"wrong_columns": bad, "duplicate": bad}
    return {"read": read, "set_aside": set_aside, "left": len(ranks)}


def _ads(random: np.random.Generator, ids: np.ndarray) -> list[pa.Array]:
    size = len(ids)
    brand = texts(1 + zipf(random, size, _BRANDS))
    price = np.round(np.exp(random.normal(5, 1.5, size)), 2)
    is_whole = (random.random(size) < 0.7) | (price == np.floor(price))
    whole = pc.binary_join_element_wise(texts(price.astype(int)), "0", ".")  # 170.0
    return [
        texts(ids),
        texts(1 + zipf(random, size, _CATEGORIES)),
        texts(random.integers(1, len(ids) + 2, size)),
        texts(random.integers(1, len(ids) // 2 + 2, size)),
        either(random.random(size) < 0.3, "NULL", brand),
        either(is_whole, whole, texts(price)),
    ]


def _profiles(random: np.random.Generator, ids: np.ndarray) -> list[pa.Array]:
    size = len(ids)
    blank = constant("", size)

    def drawn(low: int, high: int, blank_share: float = 0.0) -> pa.Array:
        values = texts(random.integers(low, high, size, endpoint=True))
        return either(random.random(size) < blank_share, blank, values)

    return [
        texts(ids),
        drawn(0, 96),
        drawn(0, 12),
        drawn(1, 2),
        drawn(0, 6),
        drawn(1, 3, 0.54),
        drawn(1, 3),
        drawn(0, 1),
        drawn(1, 4, 0.32),
    ]


def _behavior(random: np.random.Generator, ids: np.ndarray) -> list[pa.Array]:
    size = len(ids)
    return [
        texts(ids),
        texts(_BEHAVIOR_START + random.integers(0, _BEHAVIOR_SECONDS, size)),
        pa.array(random.choice(_ACTIONS, size)),
        texts(1 + zipf(random, size, _CATEGORIES)),
        texts(1 + zipf(random, size, _BRANDS)),
    ]
