"""A small made-up log in GroupLens's form: some films are better than others."""

import random
from pathlib import Path

from psad_tf.data.movielens import GENRES

USERS, ITEMS, SESSIONS, SESSION_LENGTH = 60, 60, 6, 8
DAY = 86_400


def write_log(folder: Path) -> Path:
    """Writes `u.data`, `u.user` and `u.item`; each user comes once in a few days."""
    folder.mkdir(parents=True)
    draw = random.Random(0)
    _write(folder / "u.user", (f"{u}|30|F|writer|12345" for u in range(1, USERS + 1)))
    _write(folder / "u.item", (_item(i) for i in range(1, ITEMS + 1)))
    rows = []
    for user in range(1, USERS + 1):
        items = draw.sample(range(1, ITEMS + 1), SESSIONS * SESSION_LENGTH)
        for number, item in enumerate(items):
            session, place = divmod(number, SESSION_LENGTH)
            time = 10**9 + session * 3 * DAY + user * 1000 + place
            # The lower half of the numbers is liked four times in five.
            is_liked = (draw.random() < 0.8) == (item <= ITEMS // 2)
            rows.append(f"{user}\t{item}\t{5 if is_liked else 2}\t{time}")
    _write(folder / "u.data", rows)
    return folder


def _item(number: int) -> str:
    flags = ("1" if genre == "Drama" else "0" for genre in GENRES)
    return "|".join((str(number), f"Film {number} (1990)", "", "", "", *flags))


def _write(path: Path, lines) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))
