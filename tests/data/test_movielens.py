"""The reader: both forms of the files, their quirks, and lines that can't be used."""

import json
import logging
import random

import pytest
from raw_logs import ITEMS, USERS, write_grouplens, write_recbole

from psad_tf.data.errors import DataError
from psad_tf.data.log import Item, User
from psad_tf.data.movielens import read_movielens
from psad_tf.data.quarantine import Quarantine

RATINGS = [("1", "1", 5, 100), ("1", "2", 3, 100), ("10", "3", 4, 50), ("2", "4", 1, 7)]
# More than enough good lines that a few bad ones stay below 1 %.
MANY = [(str(u), str(i), 3, 9) for u in range(1, 31) for i in range(1, 31)]
MANY_USERS = {str(n): USERS["1"] for n in range(1, 31)}
MANY_ITEMS = {str(n): ITEMS["2"] for n in range(1, 31)}
WRITERS = {"grouplens": write_grouplens, "recbole": write_recbole}


def _rows(log):
    return [
        (log.users[r["user"]].id, log.items[r["item"]].id, r["rating"], r["timestamp"])
        for r in log.ratings
    ]


@pytest.fixture(params=WRITERS)
def write_many(request):
    def write(folder, ratings=MANY):
        return WRITERS[request.param](folder, ratings, MANY_USERS, MANY_ITEMS)

    return write


def test_both_forms_are_one_log(tmp_path):
    log = read_movielens(write_grouplens(tmp_path / "g", RATINGS), Quarantine())
    other = read_movielens(write_recbole(tmp_path / "r", RATINGS), Quarantine())
    assert log.fingerprint() == other.fingerprint()
    assert (log.users, log.items) == (other.users, other.items)
    assert log.users == (
        User("1", 24.0, "M", "technician", "8"),
        User("2", 53.0, "F", "other", "V"),
        User("10", 17.0, "M", "student", "0"),
    )
    assert log.items[0] == Item(
        "1", "Toy Story", ("Animation", "Children's", "Comedy"), 1995
    )
    assert log.items[3].title == "Misérables, Les"
    assert log.items[4] == Item("267", "unknown", ("unknown",), 0)
    assert sorted(_rows(log)) == sorted(RATINGS)
    assert log.ratings["timestamp"].tolist() == [7, 50, 100, 100]
    assert log.rows_read == {"u.data": 4, "u.user": 3, "u.item": 5}


@pytest.mark.parametrize(
    "grouplens, recbole, title, year",
    [
        ("Seven (Se7en) (1995)", ("Seven (Se7en)", "1995"), "Seven (Se7en)", 1995),
        ("Land Before (1995) (V)", ("Land Before (1995)", "V"), "Land Before", 1995),
        ("War  at Home (1996) ", ("War at Home", "1996"), "War at Home", 1996),
        ("1984 (1956)", ("1984", "1956"), "1984", 1956),
        ("unknown", ("unkonwn", "unkonwn"), "unknown", 0),
        ("Alien 3", ("Alien 3", "unkonwn"), "Alien 3", 0),
    ],
)
def test_titles_and_years(tmp_path, grouplens, recbole, title, year):
    folder = write_grouplens(tmp_path / "g", RATINGS)
    _replace(folder / "u.item", "Toy Story (1995)", grouplens, "latin-1")
    other = write_recbole(tmp_path / "r", RATINGS)
    _replace(other / "ml-100k.item", "Toy Story\t1995", "\t".join(recbole))
    for place in (folder, other):
        item = read_movielens(place, Quarantine()).items[0]
        assert (item.title, item.year) == (title, year)


def _replace(path, old, new, encoding="utf-8"):
    text = path.read_text(encoding)
    assert old in text
    path.write_text(text.replace(old, new), encoding)


def test_genres_are_in_one_order_however_written(tmp_path):
    folder = write_recbole(tmp_path, RATINGS)
    _replace(
        folder / "ml-100k.item",
        "Animation Children's Comedy",
        "Comedy Animation Children's",
    )
    genres = read_movielens(folder, Quarantine()).items[0].genres
    assert genres == ("Animation", "Children's", "Comedy")


def test_order_of_lines_leaves_no_trace(tmp_path):
    one = read_movielens(write_grouplens(tmp_path / "1", RATINGS), Quarantine())
    rng, users, items = random.Random(3), list(USERS.items()), list(ITEMS.items())
    for rows in (users, items):
        rng.shuffle(rows)
    turned = write_grouplens(tmp_path / "2", RATINGS[::-1], dict(users), dict(items))
    assert read_movielens(turned, Quarantine()).fingerprint() == one.fingerprint()


BAD_RATINGS = {
    "1\t2\t3": "wrong_columns",
    "1\t2\t3\t4\t5": "wrong_columns",
    "": "wrong_columns",
    "x\t2\t3\t4": "not_a_number",
    "1\t2\t3.5\t4": "not_a_number",
    "1\t2\t3\t-4": "not_a_number",
    "1\t2\t3\t" + "9" * 30: "not_a_number",
    "1\t2\t0\t4": "rating_out_of_range",
    "1\t2\t6\t4": "rating_out_of_range",
    "99\t2\t3\t4": "unknown_user",
    "1\t99\t3\t4": "unknown_item",
}


@pytest.mark.parametrize("line, reason", BAD_RATINGS.items())
def test_bad_line_is_set_aside(tmp_path, write_many, line, reason):
    folder = write_many(tmp_path)
    (path,) = [*folder.glob("u.data"), *folder.glob("*.inter")]
    lines = path.read_text().split("\n")
    lines.insert(5, line)
    path.write_text("\n".join(lines))
    quarantine = Quarantine()
    log = read_movielens(folder, quarantine)
    assert quarantine.counts(path.name) == {reason: 1}
    assert sorted(_rows(log)) == sorted(MANY)
    assert log.rows_read[path.name] == len(MANY) + 1
    quarantine.write(tmp_path / "quarantine.tsv")
    header, row = (tmp_path / "quarantine.tsv").read_text().splitlines()
    assert header == "file\tline\treason\ttext"
    file, number, written_reason, text = row.split("\t")
    assert (file, number, written_reason) == (path.name, "6", reason)
    assert json.loads(text) == line


def test_the_earlier_of_two_ratings_is_kept(tmp_path, write_many):
    twice = [*MANY, ("1", "1", 5, 4), ("1", "1", 1, 400)]
    for rows in (twice, twice[::-1]):
        quarantine = Quarantine()
        log = read_movielens(write_many(tmp_path, rows), quarantine)
        assert sum(quarantine.counts(list(log.rows_read)[2]).values()) == 2
        assert [row for row in _rows(log) if row[:2] == ("1", "1")] == [
            ("1", "1", 5, 4)
        ]


def test_bad_users_and_items_are_set_aside(tmp_path):
    folder = write_grouplens(tmp_path, RATINGS)
    with (folder / "u.user").open("a") as file:
        file.write("3|old|M|writer|1\n4|20||writer|1\n1|24|M|technician|85711\n")
    _replace(folder / "u.item", "|0|1|1|1|", "|0|2|1|1|", "latin-1")  # Toy Story
    quarantine = Quarantine(max_bad_share=0.5)
    log = read_movielens(folder, quarantine)
    expected = {"not_a_number": 1, "empty_field": 1, "duplicate": 1}
    assert quarantine.counts("u.user") == expected
    assert quarantine.counts("u.item") == {"bad_genre_flag": 1}
    assert quarantine.counts("u.data") == {"unknown_item": 1}
    assert len(log.ratings) == 3


def test_too_many_bad_lines_stop_the_run(tmp_path):
    bad = [("1", "2", 9, 4)] * 2
    rows = [*MANY[:198], *bad]
    folder = write_grouplens(tmp_path, rows, MANY_USERS, MANY_ITEMS)
    read_movielens(folder, Quarantine())  # exactly 1 % is accepted
    with pytest.raises(
        DataError,
        match=r"u.data: 2 of 200 lines .*max_bad_share=0.009; the first is line 199 "
        r"\(rating_out_of_range\): '1\\t2\\t9\\t4'. Repair",
    ):
        read_movielens(folder, Quarantine(max_bad_share=0.009))
    with pytest.raises(DataError, match="max_bad_share=1.5; give a share"):
        Quarantine(max_bad_share=1.5)


def test_cut_off_file_is_an_error(tmp_path, write_many):
    folder = write_many(tmp_path)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        separator = b"|" if path.name in ("u.user", "u.item") else b"\t"
        path.write_bytes(whole[: whole.rindex(separator)])
        line = whole.count(b"\n")
        with pytest.raises(DataError, match=f"{path.name}, line {line}: .*truncated"):
            read_movielens(folder, Quarantine())
        path.write_bytes(whole)


def test_only_the_last_line_end_is_missing(tmp_path, write_many, caplog):
    folder = write_many(tmp_path)
    (path,) = [*folder.glob("u.data"), *folder.glob("*.inter")]
    path.write_bytes(path.read_bytes().rstrip())
    with caplog.at_level(logging.WARNING):
        log = read_movielens(folder, Quarantine())
    assert len(log.ratings) == len(MANY)
    assert "no line end after the last line" in caplog.text


def test_line_ends_of_windows_are_line_ends(tmp_path, write_many):
    folder = write_many(tmp_path)
    one = read_movielens(folder, Quarantine()).fingerprint()
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_movielens(folder, Quarantine()).fingerprint() == one


def test_missing_empty_and_foreign_files(tmp_path):
    with pytest.raises(DataError, match="neither u.data .* nor ml-100k.inter .*give"):
        read_movielens(tmp_path, Quarantine())
    folder = write_recbole(tmp_path, RATINGS)
    _replace(folder / "ml-100k.user", "age:token\t", "years:token\t")
    with pytest.raises(DataError, match="ml-100k.user, line 1: the header is"):
        read_movielens(folder, Quarantine())
    (folder / "ml-100k.user").write_text("")
    with pytest.raises(DataError, match="ml-100k.user: the file is empty; copy"):
        read_movielens(folder, Quarantine())
    (folder / "ml-100k.user").unlink()
    with pytest.raises(DataError, match="ml-100k.user: No such file.*give a folder"):
        read_movielens(folder, Quarantine())
