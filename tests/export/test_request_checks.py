"""What a request must satisfy, whoever sends it: the graph itself answers clearly."""

from dataclasses import replace

import numpy as np
import pytest
from export_cases import FEATURES, LISTS, SIGNATURES, USER, inputs_of, offered

from psad_tf.data.examples import encode_list
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList

both = pytest.mark.parametrize("signature", SIGNATURES)
ONE = LISTS[1]


@pytest.fixture
def refused(ask):
    """Asks, and returns the message of the InvalidArgumentError."""
    import tensorflow as tf

    def refused(signature, lists=(ONE,), features=FEATURES, **changes):
        with pytest.raises(tf.errors.InvalidArgumentError) as error:
            ask(signature, lists, features, **changes)
        return error.value.message

    return refused


def example(change):
    """`ONE`, encoded, with a change to its map of features."""
    message = Example.FromString(encode_list(ONE, FEATURES))
    change(message.features.feature)
    return np.array([message.SerializeToString()], object)


@both
def test_too_many_candidates_are_refused_and_not_cut(signature, refused):
    wider = replace(FEATURES, list_length=21)
    message = refused(signature, [RankingList(USER, offered(21))], wider)
    assert "candidate_item_id has more than 20 values" in message
    assert "send the best" in message


@pytest.mark.parametrize("name", ["candidate_year", "history_genres"])
def test_features_of_unequal_length_are_named(name, refused):
    def cut(features):
        feature = features[name]
        (feature.bytes_list if "genres" in name else feature.float_list).value.pop()

    message = refused("serving_default", examples=example(cut))
    assert name in message and "different lengths" in message


@pytest.mark.parametrize(
    "name", ["candidate_initial_score", "history_log_hours_ago", "user_age"]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_named(name, value, refused):
    def spoil(features):
        features[name].float_list.value[0] = value

    message = refused("serving_default", examples=example(spoil))
    assert f"{name} has a value that is not finite" in message


def test_a_packed_number_that_is_none_is_named(refused):
    values = inputs_of("rank", [ONE])["candidate_values"].copy()
    values[0, 1, 4] = np.nan
    message = refused("rank", candidate_values=values)
    assert "candidate_initial_score has a value that is not finite" in message


def test_a_missing_user_feature_is_named(refused):
    missing = example(lambda features: features.pop("user_age"))
    assert "user_age" in refused("serving_default", examples=missing)


@pytest.mark.parametrize("place", ["candidate", "history"])
@pytest.mark.parametrize("count", [-1, 9])
def test_a_count_that_does_not_fit_is_refused_and_not_clipped(place, count, refused):
    given = {f"{place}_count": np.array([count], np.int32)}
    assert f"{place}_count is negative or exceeds" in refused("rank", **given)


def test_packed_text_and_numbers_must_have_one_width(refused):
    values = inputs_of("rank", [ONE])["candidate_values"][:, :2]
    message = refused("rank", candidate_values=values)
    assert "candidate_count" in message and "candidate_values" in message


def test_bytes_that_are_no_example_are_refused(refused):
    message = refused("serving_default", examples=np.array([b"no example"]))
    assert "Could not parse example" in message


@both
def test_one_bad_list_refuses_the_batch(signature, refused):
    wider = replace(FEATURES, list_length=21)
    lists = [ONE, RankingList(USER, offered(21))]
    assert "candidate_item_id" in refused(signature, lists, wider)
