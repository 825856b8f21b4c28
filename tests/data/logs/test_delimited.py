"""Lines to columns: what is accepted, what is set aside, and where it stood."""

import pytest

from psad_tf.data.errors import DataError
from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.tables import Bad, Column, Kind

CSV = Delimited(
    (
        Column("user", "user", Kind.ID),
        Column("time_stamp", "time", Kind.WHOLE),
        Column("clk", "label", Kind.FLAG),
        Column("price", "price", Kind.NUMBER, empty=-1.0),
        Column("brand", "brand", Kind.TEXT, empty="none"),
        Column("city", "city", Kind.TEXT),
    )
)
# In another order than the columns; the last name ends with a space, as Ad's does.
HEADER = b"clk,user,time_stamp,pid,brand,price,city \r\n"


def parse(*lines, end=b"\n"):
    return CSV.parse(end.join(lines), HEADER)


def test_columns_are_found_by_name_and_typed():
    parsed = parse(b"1,u,12,x,b,2.5,c", b"0,v,0,x,NULL,,", b"1.0,w,7,x,,1e3,NULL")
    assert parsed.lines == 3 and not parsed.bad
    assert parsed.rows.to_pylist() == [
        {"user": "u", "time": 12, "label": 1, "price": 2.5, "brand": "b", "city": "c"},
        {"user": "v", "time": 0, "label": 0, "price": -1, "brand": "none", "city": ""},
        # Texts for which nothing is empty are kept as they are.
        {
            "user": "w",
            "time": 7,
            "label": 1,
            "price": 1000.0,
            "brand": "none",
            "city": "NULL",
        },
    ]
    assert parsed.rows.schema == CSV.schema


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,u,12,x,b,2.5", "wrong_columns"),
        (b"1,u,12,x,b,2.5,c,d", "wrong_columns"),
        (b"1,,12,x,b,2.5,c", "empty_user"),
        (b"1,NULL,12,x,b,2.5,c", "empty_user"),
        (b"1,u,,x,b,2.5,c", "empty_time"),
        (b"1,u,-12,x,b,2.5,c", "bad_time"),
        (b"1,u,1.5,x,b,2.5,c", "bad_time"),
        (b"1,u,1234567890123456789,x,b,2.5,c", "bad_time"),
        (b"2,u,12,x,b,2.5,c", "bad_label"),
        (b"1,u,12,x,b,dear,c", "bad_price"),
        (b"1,u,12,x,b,nan,c", "bad_price"),
        (b"1,u,12,x,b,1e999,c", "bad_price"),
        # The first column that is read gives the reason.
        (b"2,,x,x,b,dear,c", "empty_user"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_place(line, reason):
    good = b"1,u,12,x,b,2.5,c"
    for end in (b"\n", b"\r\n"):
        parsed = parse(good, line, good, line, end=end)
        text = line.decode()
        assert parsed.bad == [Bad(1, reason, text), Bad(3, reason, text)]
        assert parsed.rows.num_rows == 2 and parsed.lines == 4


def test_lines_are_numbered_past_bad_ones_of_both_kinds():
    good = b"1,u,12,x,b,2.5,c"
    parsed = parse(b"1", good, b"1,u,a,x,b,2.5,c", b"1,2", good, b"1,u,b,x,b,2,c")
    assert [(bad.line, bad.reason) for bad in parsed.bad] == [
        (0, "wrong_columns"),
        (2, "bad_time"),
        (3, "wrong_columns"),
        (5, "bad_time"),
    ]


def test_undecodable_bytes_are_kept_as_escapes():
    parsed = parse(b"1,\xffu,12,x,b,2.5,c", b"1,v,x\xfe,x,b,2.5,c")
    assert parsed.rows["user"].to_pylist() == ["\\xffu"]
    assert parsed.bad == [Bad(1, "bad_time", "1,v,x\\xfe,x,b,2.5,c")]


def test_moments():
    parser = Delimited((Column("at", "at", Kind.TIME), Column("n", "n", Kind.ID)), "\t")
    lines = b"1970-01-02 00:00:01.0\ta\n2015-06-31 18:11:01.0\tb\n2015-06-3 1:11:01\tc"
    parsed = parser.parse(lines, b"at\tn")
    assert parsed.rows["at"].to_pylist() == [86_401]  # a 31 June is no day
    assert [bad.reason for bad in parsed.bad] == ["bad_at", "bad_at"]


def test_quotes_are_text_unless_said_otherwise():
    columns = (Column("a", "a", Kind.TEXT), Column("b", "b", Kind.TEXT))
    plain, quoting = Delimited(columns), Delimited(columns, quote='"')
    assert plain.parse(b'"x,y"', b"a,b").rows.to_pylist() == [{"a": '"x', "b": 'y"'}]
    assert quoting.parse(b'"x,y",z', b'"a","b"').rows.to_pylist() == [
        {"a": "x,y", "b": "z"}
    ]


def test_a_header_without_a_column_is_refused():
    with pytest.raises(DataError, match=r"lacks the columns \['time_stamp', 'clk'\]"):
        CSV.parse(b"", b"user,price,brand,city")


def test_files_without_a_header_are_read_by_the_parsers_own():
    parser = Delimited((Column("b", "b", Kind.ID),), header=("a", "b"))
    assert not parser.has_header
    assert parser.parse(b"1,2", None).rows.to_pylist() == [{"b": "2"}]
