"""What Avito's tables make of their columns, and which rows they set aside."""

import math

import pytest

from psad_tf.data.logs.avito import AVITO_READER

SHOWN = b"SearchID\tAdID\tPosition\tObjectType\tHistCTR\tIsClick"
ADS = b"AdID\tIsContext\tLocationID\tCategoryID\tParams\tTitle\tPrice"
SEARCHES = (
    b"SearchID\tSearchDate\tIPID\tUserID\tIsUserLoggedOn\tSearchQuery\tLocationID\t"
    b"CategoryID\tSearchParams"
)


def rows_of(table, header, *lines):
    parsed = table.parser.parse("\n".join(lines).encode(), header)
    assert parsed.bad == []
    return table.derive(parsed.rows)


def test_rows_without_a_label_are_set_aside():
    table = AVITO_READER.impressions
    rows = rows_of(
        table,
        SHOWN,
        "1\t9\t1\t3\t0.5\t1",
        "1\t8\t2\t1\t\t",
        "1\t7\t7\t3\t0.25\t",
        "1\t6\t8\t3\t0\tyes",
        "1\t5\t0\t3\t\t0",
    )
    assert rows["label"].to_pylist() == [1, 0, 0, 0, 0]
    rates = rows["historical_click_rate"].to_pylist()
    assert rates == [0.5, 0.0, 0.25, 0.0, 0.0]
    scores = rows["initial_score"].to_pylist()
    assert scores == pytest.approx([1, 1 / 2, 1 / 7, 1 / 8, 1])
    reasons = {r: list(m.to_pylist()) for r, m in table.reject(rows).items()}
    assert reasons["no_label"] == [False, True, True, False, False]
    assert reasons["bad_label"] == [False, False, False, True, False]


def test_columns_of_ads_are_found_in_any_order():
    rows = rows_of(AVITO_READER.items, ADS, '9\t1\t3\t4\t{}\t24"\t7', "8\t1\t3\t\t\t\t")
    assert rows["item"].to_pylist() == ["9", "8"]
    assert rows["category"].to_pylist() == ["4", ""]
    assert rows["log_price"].to_pylist() == pytest.approx([math.log(8), 0.0])


def test_a_search_says_when_and_whether_something_was_typed():
    rows = rows_of(
        AVITO_READER.requests,
        SEARCHES,
        "4\t2015-05-10 18:11:01.0\t898705\t3573776\t0\t\t3960\t22\t{88:'38'}",
        '5\t1970-01-02 00:00:00.0\t1\t2\t1\tмонитор 24"\t1\t1\t',
    )
    assert rows["time"].to_pylist() == [1431281461, 86400]
    assert rows["search_has_query"].to_pylist() == ["0", "1"]
    assert "query" not in rows.schema.names
