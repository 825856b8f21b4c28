"""Hand-made logs: small MovieLens folders in both forms, and arrays of ratings."""

import random
from pathlib import Path

import numpy as np

from psad_tf.data.log import RATING, tie_break
from psad_tf.data.movielens import GENRES

USERS = {  # id → age, gender, occupation, zip
    "1": ("24", "M", "technician", "85711"),
    "2": ("53", "F", "other", "v3N4P"),
    "10": ("17", "M", "student", "02138"),
}
ITEMS = {  # id → title, year, genres
    "1": ("Toy Story", "1995", ("Animation", "Children's", "Comedy")),
    "2": ("Usual Suspects, The", "1995", ("Crime", "Thriller")),
    "3": ("Seven (Se7en)", "1995", ("Crime", "Thriller")),
    "4": ("Misérables, Les", "1998", ("Drama",)),
    "267": ("unknown", "", ("unknown",)),
}


def write_grouplens(folder: Path, ratings, users=USERS, items=ITEMS) -> Path:
    """Writes `u.data`, `u.user`, `u.item`; ratings are (user, item, rating, time)."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "u.data", ("\t".join(map(str, row)) for row in ratings))
    _write(folder / "u.user", ("|".join((u, *rest)) for u, rest in users.items()))
    _write(folder / "u.item", _grouplens_items(items), "latin-1")
    return folder


def write_recbole(folder: Path, ratings, users=USERS, items=ITEMS) -> Path:
    """Writes the same log as RecBole has it."""
    folder.mkdir(parents=True, exist_ok=True)
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    rows = ("\t".join(map(str, row)) for row in ratings)
    _write(folder / "ml-100k.inter", [header, *rows])
    header = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"
    rows = ("\t".join((user, *rest)) for user, rest in users.items())
    _write(folder / "ml-100k.user", [header, *rows])
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"
    rows = []
    for item, (title, year, genres) in items.items():
        title, year = (title, year) if year else ("unkonwn", "unkonwn")
        rows.append("\t".join((item, title, year, " ".join(genres))))
    _write(folder / "ml-100k.item", [header, *rows])
    return folder


def _grouplens_items(items):
    for item, (title, year, genres) in items.items():
        flags = ("1" if genre in genres else "0" for genre in GENRES)
        titled = f"{title} ({year})" if year else title
        yield "|".join((item, titled, f"01-Jan-{year or ''}", "", "http://x", *flags))


def _write(path: Path, lines, encoding: str = "utf-8") -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)


def rating_array(rows) -> np.ndarray:
    """Array of `RATING` from (user, item, rating, timestamp) of whole numbers."""
    full = [(u, i, r, t, tie_break(str(u), str(i))) for u, i, r, t in rows]
    return np.array(full, RATING)


def random_log(seed: int = 0, users: int = 30, items: int = 60):
    """A log of many sessions: users, items and ratings for the writers above."""
    rng = random.Random(seed)
    people = {
        str(n): (str(rng.randrange(10, 70)), rng.choice("MF"), f"job{n % 4}", f"{n}00")
        for n in range(1, users + 1)
    }
    films = {
        str(n): (f"Film {n}", str(1940 + n), (GENRES[1 + n % 18],))
        for n in range(1, items + 1)
    }
    ratings = []
    for user in people:
        chosen = rng.sample(sorted(films), 40)
        for session in range(5):
            start = 10**9 + rng.randrange(10**6)
            for item in chosen[8 * session : 8 * session + 8]:
                time = start + rng.choice((0, 0, 30, 60, 200))
                ratings.append((user, item, rng.randrange(1, 6), time))
    return people, films, ratings
