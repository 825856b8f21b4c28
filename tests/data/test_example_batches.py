"""Lists encoded in batches give the bytes that each gives alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psad_tf.data.errors import DataError
from psad_tf.data.example_batches import (
    Column,
    encode_lists,
    number_values,
    text_values,
)
from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import (
    INITIAL_SCORE,
    ITEM_ID,
    LABEL,
    Feature,
    FeatureSet,
    Kind,
    candidate_name,
    history_name,
)

FEATURES = FeatureSet(
    name="drawn",
    user=(
        Feature("user_id", Kind.CATEGORICAL),
        Feature("user_age", Kind.BUCKETIZED, (18, 65)),
    ),
    item=(Feature(ITEM_ID, Kind.CATEGORICAL), Feature("price", Kind.NUMERIC)),
    candidate=(Feature(INITIAL_SCORE, Kind.NUMERIC),),
    history=(Feature("log_hours_ago", Kind.NUMERIC),),
    list_length=130,  # more than a length of one byte counts
    history_length=3,
)
TEXTS = st.text(max_size=6) | st.just("x" * 300) | st.just("")
NUMBERS = st.floats(-(2.0**99), 2.0**99, width=32)


def items_of(*names, length):
    fields = {ITEM_ID: TEXTS, "price": NUMBERS, **dict.fromkeys(names, NUMBERS)}
    return st.lists(st.fixed_dictionaries(fields), **length)


@st.composite
def ranking_lists(draw):
    shown = draw(items_of(INITIAL_SCORE, length={"min_size": 1, "max_size": 4}))
    shown *= draw(st.sampled_from([1, 1, 30]))
    labels = st.sampled_from([0.0, 1.0])
    return RankingList(
        user={"user_id": draw(TEXTS), "user_age": draw(NUMBERS)},
        candidates=shown,
        history=draw(items_of("log_hours_ago", length={"max_size": 3})),
        labels=draw(st.lists(labels, min_size=len(shown), max_size=len(shown))),
        request_id=draw(st.text(min_size=1, max_size=5)),
        timestamp=draw(st.integers(0, 2**63 - 1)),
    )


def column(values, ends, is_text):
    """The column of all lists' values, which follow each other."""
    begin = np.array([0, *ends[:-1]])
    if not is_text:
        return Column(number_values(np.array(values), "f"), begin, np.array(ends))
    texts = sorted(set(values))
    codes = np.array([texts.index(value) for value in values], np.int64)
    return Column(text_values(texts, codes), begin, np.array(ends))


def columns_of(lists):
    one = list(range(1, len(lists) + 1))
    found = {
        f.name: column([x.user[f.name] for x in lists], one, f.kind.is_text)
        for f in FEATURES.user
    }
    for features, name_of, items in (
        (FEATURES.of_candidates(), candidate_name, [x.candidates for x in lists]),
        (FEATURES.of_history(), history_name, [x.history for x in lists]),
    ):
        ends = np.cumsum([len(some) for some in items])
        for f in features:
            values = [item[f.name] for some in items for item in some]
            found[name_of(f)] = column(values, ends, f.kind.is_text)
    labels = [label for x in lists for label in x.labels]
    found[LABEL] = column(labels, np.cumsum([len(x.labels) for x in lists]), False)
    return found


def encoded(lists, **changes):
    names = [x.request_id for x in lists]
    times = [x.timestamp for x in lists]
    columns = columns_of(lists) | changes
    return list(encode_lists(columns, names, times, FEATURES))


@settings(max_examples=150, deadline=None)
@given(st.lists(ranking_lists(), min_size=1, max_size=3))
def test_batches_give_the_bytes_of_the_one_encoder(lists):
    assert encoded(lists) == [encode_list(one, FEATURES) for one in lists]


def one_list(candidates=1, timestamp=0):
    item = {ITEM_ID: "7", "price": 1.5}
    return RankingList(
        user={"user_id": "1", "user_age": 20.0},
        candidates=[item | {INITIAL_SCORE: 0.5}] * candidates,
        history=[item | {"log_hours_ago": 0.0}],
        labels=[1.0] * candidates,
        request_id="a",
        timestamp=timestamp,
    )


def test_what_does_not_fit_is_named():
    with pytest.raises(DataError, match=r"lists have 131 to 131 .* give 1 to 130"):
        encoded([one_list(131)])
    with pytest.raises(DataError, match=r"timestamp=-1; send whole seconds"):
        encoded([one_list(timestamp=-1)])
    with pytest.raises(DataError, match=r"unknown features \['colour'\]"):
        encoded([one_list()], colour=column(["red"], [1], True))
    with pytest.raises(DataError, match=r"label: lists have 2 to 2 values"):
        encoded([one_list()], label=column([1.0, 0.0], [2], False))
    with pytest.raises(DataError, match=r"price=1e\+39 is not finite in float32"):
        number_values(np.array([1.0, 1e39]), "price")
