"""How often things were shown and clicked before a day, against loops over the rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psad_tf.data.logs.accounts import as_text, files_read, rows_by_fate
from psad_tf.data.logs.answers import LEVEL, before
from psad_tf.data.logs.joins import codes_of, rows_of, unique_rows
from psad_tf.data.logs.rates import (
    ALL_LEVELS,
    DEFAULT_RATE,
    Rates,
    numbers_of,
    smoothed,
)
from psad_tf.data.logs.shuffle import Shuffle

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-2, 4), st.integers(0, 5)), max_size=30
)


@given(ROWS)
def test_before_adds_up_a_groups_earlier_days(rows):
    group, day, value = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    (found,) = before(group, day, [value])
    expected = [
        sum(other[2] for other in rows if other[0] == row[0] and other[1] < row[1])
        for row in rows
    ]
    assert found.tolist() == expected


class _Plan:
    """As much of a plan as `Rates` asks for."""

    def __init__(self, folder: Path):
        self.folder = str(folder)

    def leave(self, name: str) -> Shuffle:
        return Shuffle(self.folder, name)


def test_rates_are_those_before_the_day(tmp_path):
    plan = _Plan(tmp_path)
    # value, day, shown, clicked
    rows = [("a", 1, 10, 1), ("a", 3, 5, 4), ("b", 2, 30, 3)]
    table = pa.table([pa.array(column) for column in zip(*rows, strict=True)], LEVEL)
    plan.leave(ALL_LEVELS).write_one(0, table)
    rates = Rates(plan)
    days = np.array([1, 2, 3, 4, 9])
    expected = [DEFAULT_RATE, 1 / 10, 4 / 40, 8 / 45, 8 / 45]
    assert rates.prior(days) == pytest.approx(expected)
    values = pa.array(["a", "a", "b", "b", "unseen"])
    shown, clicked = rates.of_values(values, np.array([3, 4, 2, 3, 9]))
    assert shown.tolist() == [10, 15, 0, 30, 0]
    assert clicked.tolist() == [1, 5, 0, 3, 0]
    # 20 impressions at the prior of 0.1 join the 30 with 3 clicks.
    assert smoothed(np.array([30]), np.array([3]), 0.1) == pytest.approx([0.1])


def test_numbers_of_texts():
    found = numbers_of(pa.array(["3", "", "null", "-1", "12"]))
    assert np.isnan(found).tolist() == [False, True, True, True, False]
    assert found[[0, 4]].tolist() == [3.0, 12.0]


def test_codes_do_not_depend_on_the_order_of_rows():
    codes, texts = codes_of(pa.array(["b", "a", "b", "c"]))
    assert codes.tolist() == [1, 0, 1, 2] and texts.to_pylist() == ["a", "b", "c"]
    codes, texts = codes_of(pa.chunked_array([["c"], ["a", "b"]]))
    assert codes.tolist() == [2, 0, 1] and texts.to_pylist() == ["a", "b", "c"]


@given(st.permutations([("x", 2), ("x", 1), ("y", 5), ("x", 1)]))
def test_of_rows_with_one_key_the_smallest_is_kept(rows):
    table = pa.table([*map(pa.array, zip(*rows, strict=True))], ["key", "value"])
    kept = unique_rows(table, "key").sort_by("key")
    assert kept.to_pylist() == [{"key": "x", "value": 1}, {"key": "y", "value": 5}]
    assert rows_of(pa.array(["y", "z"]), kept, "key").tolist() == [1, -1]


COUNTS = {
    "rows/t/read": 10,
    "rows/t/duplicate": 1,
    "rows/t/train": 7,
    "rows/t/bad_time": 2,
    "rows/t/test": 0,
    "lines/t.csv": 10,
    "bad/t.csv/bad_time": 2,
    "lists/train": 3,
}


def test_accounts_add_up_or_are_refused():
    rows = rows_by_fate(COUNTS)
    assert list(rows["t"].items()) == [
        ("read", 10),
        ("train", 7),
        ("bad_time", 2),
        ("duplicate", 1),
    ]
    assert files_read(COUNTS) == {"t.csv": {"read": 10, "set_aside": {"bad_time": 2}}}
    told = as_text(rows).splitlines()
    assert told[0] == "t: 10 rows read" and told[1].split() == ["train", "7", "70.00%"]
    with pytest.raises(AssertionError, match="t: 10 rows were read, but 9 told of"):
        rows_by_fate(COUNTS | {"rows/t/duplicate": 0})
