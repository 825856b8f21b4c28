"""Reader of MovieLens-100K, in GroupLens's own files or in RecBole's copy of them.

GroupLens: `u.data`, `u.user`, `u.item`, Latin-1, no header. RecBole: `ml-100k.inter`,
`.user`, `.item`, UTF-8, tab separated with a header; its titles have lost the year,
which stands in a column of its own. Both give the same `Log`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from psad_tf.data.errors import DataError
from psad_tf.data.log import RATING, Item, Log, User, in_time_order, tie_break
from psad_tf.data.quarantine import BadLine, Quarantine
from psad_tf.data.raw_files import (
    parse_lines,
    read_lines,
    split_columns,
    whole_number,
)

GENRES = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|"
    "Fantasy|Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
).split("|")

# A year in brackets at the end; after it at most a mark such as "(V)", for video.
_TITLE = re.compile(r"(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*(\([^()]*\))?")
_WITHOUT_YEAR = "unkonwn"  # so spelt in RecBole's copy, title and year alike
_NO_ZIP = "?"


@dataclass(frozen=True)
class _File:
    """One raw file: its name, layout, header (column names) and line parser."""

    name: str
    separator: str
    columns: int
    header: tuple[str, ...]
    parse: Callable[[list[str]], tuple]


def read_movielens(raw: Path, quarantine: Quarantine) -> Log:
    """Reads MovieLens-100K.

    Args:
        raw: A folder with GroupLens's or RecBole's files (GroupLens's win).
        quarantine: Takes the unusable lines.

    Raises:
        DataError: A file is missing, empty, truncated or of another layout, or more
            than the accepted share of its lines is unusable.
    """
    is_grouplens = (raw / _GROUPLENS[0].name).exists()
    if not is_grouplens and not (raw / _RECBOLE[0].name).exists():
        raise DataError(
            f"{raw}: neither {_GROUPLENS[0].name} (GroupLens) nor {_RECBOLE[0].name} "
            "(RecBole) is there; give the folder of an unpacked MovieLens-100K"
        )
    files = _GROUPLENS if is_grouplens else _RECBOLE
    encoding = "latin-1" if is_grouplens else "utf-8"
    reader = _Reader(raw, encoding, quarantine)
    users = [User(str(number), *rest) for number, *rest in reader.read(files[1], 1)]
    items = [Item(str(number), *rest) for number, *rest in reader.read(files[2], 1)]
    user_index = {user.id: index for index, user in enumerate(users)}
    item_index = {item.id: index for index, item in enumerate(items)}

    def known(record: tuple) -> None:
        if str(record[0]) not in user_index:
            raise BadLine("unknown_user")
        if str(record[1]) not in item_index:
            raise BadLine("unknown_item")

    records = reader.read(files[0], 2, known)
    ratings = np.empty(len(records), RATING)
    for row, (user, item, timestamp, rating) in enumerate(records):
        user, item = str(user), str(item)
        indices = user_index[user], item_index[item]
        ratings[row] = (*indices, rating, timestamp, tie_break(user, item))
    return Log(in_time_order(ratings), tuple(users), tuple(items), reader.rows_read)


class _Reader:
    """Reads the files of one folder; counts the data lines of each."""

    def __init__(self, raw: Path, encoding: str, quarantine: Quarantine):
        self.rows_read: dict[str, int] = {}
        self._raw, self._encoding, self._quarantine = raw, encoding, quarantine

    def read(
        self, file: _File, key_length: int, check: Callable[[tuple], None] | None = None
    ) -> list[tuple]:
        """The file's records, sorted; the first `key_length` fields are unique."""

        def parse(text: str) -> tuple:
            record = file.parse(split_columns(text, file.separator, file.columns))
            if check:
                check(record)
            return record

        path = self._raw / file.name
        lines = read_lines(path, self._encoding, file.separator, file.columns)
        if file.header:
            names = [name.split(":")[0] for name in lines[0].text.split("\t")]
            if names != list(file.header):
                raise DataError(
                    f"{path}, line 1: the header is {lines[0].text!r}; expected the "
                    f"columns {list(file.header)}, so fetch RecBole's file again"
                )
            lines = lines[1:]
        records = parse_lines(lines, parse, lambda r: r[:key_length], self._quarantine)
        self._quarantine.check(file.name, len(lines))
        self.rows_read[file.name] = len(lines)
        return records


def _rating(fields: list[str]) -> tuple[int, int, int, int]:
    """user, item, timestamp, rating: of two ratings of an item the earlier is kept."""
    user, item, rating, timestamp = map(whole_number, fields)
    if not 1 <= rating <= 5:
        raise BadLine("rating_out_of_range")
    return user, item, timestamp, rating


def _user(fields: list[str]) -> tuple:
    number, age, gender, occupation, zip_code = fields
    if not gender or not occupation:
        raise BadLine("empty_field")
    zip_prefix = zip_code[:1].upper() or _NO_ZIP
    return (
        whole_number(number),
        float(whole_number(age)),
        gender,
        occupation,
        zip_prefix,
    )


def _title_and_year(text: str) -> tuple[str, int]:
    """Splits `Title (1995)`; the year is 0 where there is none."""
    text = " ".join(text.split())
    match = _TITLE.fullmatch(text)
    return (match["title"], int(match["year"])) if match else (text, 0)


def _grouplens_item(fields: list[str]) -> tuple:
    flags = fields[5:]
    if not set(flags) <= {"0", "1"}:
        raise BadLine("bad_genre_flag")
    genres = tuple(g for g, flag in zip(GENRES, flags, strict=True) if flag == "1")
    title, year = _title_and_year(fields[1])
    return whole_number(fields[0]), title, genres or GENRES[:1], year


def _recbole_item(fields: list[str]) -> tuple:
    number, title, year, genre_text = fields
    names = set(genre_text.split())
    if not names <= set(GENRES):
        raise BadLine("unknown_genre")
    genres = tuple(genre for genre in GENRES if genre in names)
    if year == _WITHOUT_YEAR:
        title = "unknown" if title == _WITHOUT_YEAR else title
    else:  # as GroupLens writes it; what RecBole took for the year may be a mark
        title = f"{title} ({year})"
    title, year_number = _title_and_year(title)
    return whole_number(number), title, genres or GENRES[:1], year_number


_GROUPLENS = (
    _File("u.data", "\t", 4, (), _rating),
    _File("u.user", "|", 5, (), _user),
    _File("u.item", "|", 5 + len(GENRES), (), _grouplens_item),
)
_USER_COLUMNS = ("user_id", "age", "gender", "occupation", "zip_code")
_ITEM_COLUMNS = ("item_id", "movie_title", "release_year", "class")
_RECBOLE = (
    _File(
        "ml-100k.inter", "\t", 4, ("user_id", "item_id", "rating", "timestamp"), _rating
    ),
    _File("ml-100k.user", "\t", 5, _USER_COLUMNS, _user),
    _File("ml-100k.item", "\t", 4, _ITEM_COLUMNS, _recbole_item),
)
