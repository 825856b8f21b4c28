"""The parser of PRM Public's lines: what a line becomes, and why another is bad."""

import json

import pytest

from psad_tf.data.logs.prm_public_lines import PageLines

PARSER = PageLines(longest=3)


def fields(**changes):
    """A good line's six values, some of them changed."""
    values = {
        "user": 17,
        "profile": [4.0, 1.0, 1.0],
        "items": [[5, 6, 1, 2, 3], [7, 8, 1, 2, 3]],
        "basic": [[0.5] * 7, [-1.5] * 7],
        "optional": [[1e-7] * 12, [2] * 12],
        "labels": [0.0, 1.0],
    }
    return list((values | changes).values())


def line(values):
    return "|".join(json.dumps(value) for value in values)


def parse(*lines):
    return PARSER.parse("\n".join(lines).encode(), None)


def test_a_line_becomes_a_row_an_item():
    parsed = parse(line(fields()))
    assert parsed.lines == 1 and parsed.bad == []
    assert parsed.rows.schema == PARSER.schema
    first, second = parsed.rows.to_pylist()
    expected = {
        "user": "17",
        "user_feature_1": "4",
        "item": "5",
        "category": "6",
        "item_feature_5": "3",
        "position": 1,
        "label": 0,
        "initial_score": 1.0,
        "basic_7": 0.5,
        "optional_1": 1e-7,
    }
    assert {name: first[name] for name in expected} == expected
    assert (second["item"], second["position"], second["label"]) == ("7", 2, 1)
    assert (second["initial_score"], second["basic_1"]) == (0.5, -1.5)
    assert first["request"] == second["request"]


def test_null_is_a_value_of_its_own_but_no_items_name():
    items = [[5, None, 1, 2, 3], [7, 8, 1, 2, None]]
    first, second = parse(
        line(fields(profile=[None, 1, 2], items=items))
    ).rows.to_pylist()
    assert (first["user_feature_1"], first["category"]) == ("null", "null")
    assert (second["category"], second["item_feature_5"]) == ("8", "null")
    nameless = [[None, 6, 1, 2, 3], [7, 8, 1, 2, 3]]
    assert [bad.reason for bad in parse(line(fields(items=nameless))).bad] == [
        "bad_item"
    ]


def test_pages_are_told_apart_by_their_lines():
    other = fields(labels=[1.0, 0.0])
    rows = parse(line(fields()), line(other)).rows
    assert len(set(rows["request"].to_pylist())) == 2


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (fields()[:5], "wrong_columns"),
        (fields(user="u1"), "bad_user"),
        (fields(user=None), "bad_user"),
        (fields(user=True), "bad_user"),
        (fields(profile=[1, 2]), "bad_user_features"),
        (fields(profile=[1.5, 2, 3]), "bad_user_features"),
        (fields(items=[[5, 6, 1, 2, 3]]), "bad_item"),
        (fields(items=[[5, 6, 1, 2], [7, 8, 1, 2]]), "bad_item"),
        (fields(items=[[2**60, 6, 1, 2, 3], [7, 8, 1, 2, 3]]), "bad_item"),
        (fields(basic=[[0.5] * 6, [0.5] * 6]), "bad_basic"),
        (fields(basic=[[0.5] * 7, [None] * 7]), "bad_basic"),
        (fields(optional=[[0.5] * 12, [float("inf")] * 12]), "bad_optional"),
        (fields(optional=[[0.5] * 12, ["x"] * 12]), "bad_optional"),
        (fields(labels=[0.0, 0.5]), "bad_label"),
        (fields(labels=[]), "bad_label"),
        (fields(labels=[0, 1, 0, 1]), "bad_label"),
        (fields(labels=1), "bad_label"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(values, reason):
    good, bad = line(fields()), line(values)
    parsed = parse(good, bad, good)
    assert parsed.lines == 3 and parsed.rows.num_rows == 4
    assert [tuple(found) for found in parsed.bad] == [(1, reason, bad[:200])]


@pytest.mark.parametrize("text", ["1|[|[|[|[|[", "1,2|[]|[]|[]|[]|[]", "|" * 5])
def test_what_is_no_json_is_bad(text):
    assert [tuple(bad) for bad in parse(text).bad] == [(0, "bad_json", text)]


def test_nothing_is_nothing():
    parsed = PARSER.parse(b"", None)
    assert (parsed.rows.num_rows, parsed.lines, parsed.bad) == (0, 0, [])
    assert parsed.rows.schema == PARSER.schema
