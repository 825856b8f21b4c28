"""The encoder: what it writes, what it refuses, and the way back."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psad_tf.data.errors import DataError
from psad_tf.data.examples import decode_list, encode_list
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES
from psad_tf.features import Feature, Kind

TRAINING_ONLY = {"request_id", "timestamp", "label"}


def _features(ranking_list):
    return Example.FromString(encode_list(ranking_list, FEATURES)).features.feature


def _replaced(items, position, **changes):
    items = [dict(item) for item in items]
    items[position] |= changes
    return items


def test_values_by_hand(make_list):
    features = _features(make_list())
    assert list(features["user_id"].bytes_list.value) == [b"1"]
    assert list(features["user_age"].float_list.value) == [24.0]
    assert list(features["candidate_item_id"].bytes_list.value) == [b"7", b"8", b"9"]
    assert list(features["candidate_initial_score"].float_list.value) == [0.25] * 3
    assert list(features["history_log_hours_ago"].float_list.value) == [1.5]
    assert list(features["request_id"].bytes_list.value) == [b"1-100-0"]
    assert list(features["timestamp"].int64_list.value) == [100]
    assert list(features["label"].float_list.value) == [1.0, 0.0, 1.0]


def test_names_are_the_raw_contract(make_list):
    names = {name for name, _ in FEATURES.raw()}
    assert set(_features(make_list())) == names | TRAINING_ONLY
    assert set(_features(make_list(labels=None))) == names


def test_empty_history_is_present(make_list):
    features = _features(make_list(history=()))
    for feature in FEATURES.of_history():
        kind = features[f"history_{feature.name}"].WhichOneof("kind")
        assert kind == ("bytes_list" if feature.kind.is_text else "float_list")


def test_order_of_keys_leaves_no_trace(make_list):
    one = make_list()
    turned = [dict(reversed(item.items())) for item in one.candidates]
    other = dataclasses.replace(one, candidates=turned)
    assert encode_list(one, FEATURES) == encode_list(other, FEATURES)


def test_numbers_of_numpy_are_numbers(make_list):
    plain = make_list()
    numpy_items = _replaced(plain.candidates, 0, year=np.float32(1995))
    with_numpy = make_list(
        candidates=numpy_items, timestamp=np.int64(100), labels=np.array([1, 0, 1])
    )
    assert encode_list(with_numpy, FEATURES) == encode_list(plain, FEATURES)


BAD_VALUES = [
    ({"year": "1995"}, r"candidates\[1\]: candidate_year='1995' is no number"),
    ({"year": True}, "candidate_year=True is no number"),
    ({"year": None}, "candidate_year=None is no number"),
    ({"year": float("nan")}, "candidate_year=nan is not finite"),
    ({"mean_rating": float("inf")}, "candidate_mean_rating=inf is not finite"),
    ({"mean_rating": -1e39}, r"candidate_mean_rating=-1e\+39 is not finite"),
    ({"item_id": 7}, "candidate_item_id=7 is no text"),
    ({"item_id": b"7"}, "candidate_item_id=b'7' is no text"),
    ({"genres": "\ud800"}, "candidate_genres=.* is no valid Unicode"),
    ({"title": "Seven"}, r"unknown features \['title'\]"),
]


@pytest.mark.parametrize("changes, message", BAD_VALUES)
def test_bad_value_is_named(make_list, changes, message):
    candidates = _replaced(make_list().candidates, 1, **changes)
    with pytest.raises(DataError, match=f"'1-100-0'.*{message}"):
        encode_list(make_list(candidates=candidates), FEATURES)


@pytest.mark.parametrize("place", ["user", "candidates", "history"])
def test_missing_feature_is_named(make_list, place):
    value = getattr(make_list(), place)
    item = dict(value if place == "user" else value[0])
    name, _ = item.popitem()
    with pytest.raises(DataError, match=rf"{place}\[0\]: missing features \['{name}'"):
        encode_list(make_list(**{place: item if place == "user" else [item]}), FEATURES)


def test_item_that_is_no_mapping(make_list):
    with pytest.raises(DataError, match=r"candidates\[0\]: missing features"):
        encode_list(make_list(candidates=["7", "8", "9"]), FEATURES)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"labels": [1.0, 0.0]}, "2 labels for 3 candidates"),
        ({"labels": [1.0, 0.0, 0.5]}, "each must be 0 or 1"),
        ({"labels": [1.0, 0.0, "1"]}, "label='1' is no number"),
        ({"labels": [1.0, 0.0, float("nan")]}, "label=nan is not finite"),
        ({"request_id": ""}, "needs a non-empty request_id"),
        ({"timestamp": 1.5}, "timestamp=1.5; send whole seconds"),
        ({"timestamp": -1}, "timestamp=-1; send whole seconds"),
        ({"candidates": []}, "0 candidates; movielens_100k takes 1 to 20"),
    ],
)
def test_bad_list_is_refused(make_list, changes, message):
    with pytest.raises(DataError, match=message):
        encode_list(make_list(**changes), FEATURES)


def test_longest_list_fits_and_one_more_does_not(make_list):
    base = make_list()
    candidates, history = [base.candidates[0]] * 20, [base.history[0]] * 50
    full = make_list(candidates=candidates, history=history, labels=[1.0] * 20)
    assert decode_list(encode_list(full, FEATURES), FEATURES) == _plain(full)
    for name in ("candidates", "history"):
        longer = {name: [*getattr(full, name), getattr(full, name)[0]]}
        with pytest.raises(DataError, match="21 candidates|51 past items"):
            encode_list(dataclasses.replace(full, **longer), FEATURES)


def _plain(one: RankingList) -> RankingList:
    """As `decode_list` gives it: sequences are tuples."""
    labels = None if one.labels is None else tuple(one.labels)
    return dataclasses.replace(
        one,
        candidates=tuple(one.candidates),
        history=tuple(one.history),
        labels=labels,
    )


def _items(features, max_size, min_size=0):
    values = {
        f.name: st.text() if f.kind.is_text else st.floats(-1e9, 1e9, width=32)
        for f in features
    }
    return st.lists(
        st.fixed_dictionaries(values), min_size=min_size, max_size=max_size
    ).map(tuple)


@given(
    user=_items(FEATURES.user, 1, 1),
    candidates=_items(FEATURES.of_candidates(), 5, 1),
    history=_items(FEATURES.of_history(), 5),
    labels=st.lists(st.sampled_from((0.0, 1.0)), min_size=5, max_size=5),
    timestamp=st.integers(0, 2**63 - 1),
)
def test_what_is_written_is_read(user, candidates, history, labels, timestamp):
    labels = tuple(labels[: len(candidates)])
    one = RankingList(user[0], candidates, history, labels, "r", timestamp)
    assert decode_list(encode_list(one, FEATURES), FEATURES) == one
    request = RankingList(user[0], candidates, history)
    assert decode_list(encode_list(request, FEATURES), FEATURES) == request


def test_decoding_refuses_what_is_no_list(make_list):
    with pytest.raises(DataError, match="no tf.train.Example"):
        decode_list(b"\xff\xff", FEATURES)
    with pytest.raises(DataError, match="no feature 'user_id'"):
        decode_list(b"", FEATURES)
    example = Example.FromString(encode_list(make_list(), FEATURES))
    example.features.feature["candidate_year"].float_list.value.pop()
    with pytest.raises(DataError, match="different lengths"):
        decode_list(example.SerializeToString(), FEATURES)


WITH_TRUTH = dataclasses.replace(
    FEATURES, name="made_up", truth=(Feature("relevance", Kind.NUMERIC),)
)
TRUTH = [{"relevance": 0.5}, {"relevance": 0.25}, {"relevance": 0.0}]


def test_truth_is_stored_with_labels_and_in_no_request(make_list):
    one = make_list(truth=TRUTH)
    encoded = Example.FromString(encode_list(one, WITH_TRUTH)).features.feature
    assert list(encoded["candidate_relevance"].float_list.value) == [0.5, 0.25, 0.0]
    assert decode_list(encode_list(one, WITH_TRUTH), WITH_TRUTH).truth == tuple(TRUTH)
    request = dataclasses.replace(one, labels=None)
    assert encode_list(request, WITH_TRUTH) == encode_list(
        make_list(labels=None), FEATURES
    )


@pytest.mark.parametrize(
    "truth, features, message",
    [
        (None, WITH_TRUTH, r"'1-100-0' has none, but the truth of made_up.*relevance"),
        (TRUTH, FEATURES, r"'1-100-0' has one, but the truth of movielens_100k"),
        (TRUTH[:2], WITH_TRUTH, "a truth of 2 items for 3 candidates"),
        ([{}] * 3, WITH_TRUTH, r"truth\[0\]: missing features \['relevance'\]"),
        ([{"relevance": "0"}] * 3, WITH_TRUTH, "candidate_relevance='0' is no number"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(make_list, truth, features, message):
    with pytest.raises(DataError, match=message):
        encode_list(make_list(truth=truth), features)
