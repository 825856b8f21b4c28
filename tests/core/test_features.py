"""The features agree with the raw contract, and ids are laid out as promised."""

import dataclasses

import pytest

from psad_tf.feature_sets import (
    AD,
    AVITO,
    CLICK_WORLD,
    CLICK_WORLD_5,
    MOVIELENS_100K,
    PRM_PUBLIC,
    feature_set,
)
from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    TIMESTAMP,
    Feature,
    FeatureSet,
    Kind,
    Slice,
    candidate_name,
)
from psad_tf.id_space import id_space
from schemas import schema_path


def read_schema(name):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = schema_path(name).read_text()
    return text_format.Parse(text, schema_pb2.Schema())


ALL = (MOVIELENS_100K, CLICK_WORLD, CLICK_WORLD_5, AD, PRM_PUBLIC, AVITO)
of_each_data_set = pytest.mark.parametrize("features", ALL, ids=lambda f: f.name)


@of_each_data_set
def test_every_raw_feature_is_in_the_schema_with_its_type(features):
    schema = {f.name: f for f in read_schema(features.name).feature}
    raw = dict(features.raw())
    raw |= {candidate_name(feature): feature for feature in features.truth}
    assert set(schema) == set(raw) | {LABEL, REQUEST_ID, TIMESTAMP}
    bytes_type, float_type = 1, 3
    for name, feature in raw.items():
        expected = bytes_type if feature.kind.is_text else float_type
        assert schema[name].type == expected, name


@of_each_data_set
def test_list_lengths_in_the_schema_are_those_of_the_model(features):
    for feature in read_schema(features.name).feature:
        if feature.name.startswith("candidate_") or feature.name == LABEL:
            assert feature.value_count.max == features.list_length
            assert feature.value_count.min == 1
        if feature.name.startswith("history_"):
            assert feature.value_count.max == features.history_length
            assert feature.value_count.min == 0


@of_each_data_set
def test_what_only_training_has_is_not_in_the_serving_environment(features):
    training_only = features.training_only()
    for feature in read_schema(features.name).feature:
        in_training_alone = feature.name in training_only
        assert list(feature.not_in_environment) == ["SERVING"] * in_training_alone


def test_the_truth_of_a_simulated_world_is_no_input():
    assert MOVIELENS_100K.truth == ()
    (truth,) = CLICK_WORLD.truth
    name = candidate_name(truth)
    assert name == "candidate_true_relevance"
    assert name in CLICK_WORLD.training_only()
    assert name not in dict(CLICK_WORLD.raw())
    assert truth not in CLICK_WORLD.of_candidates()


def test_the_short_click_world_differs_in_its_lists_length_alone():
    changes = {"name": "click_world_5", "list_length": 5}
    assert dataclasses.replace(CLICK_WORLD, **changes) == CLICK_WORLD_5
    long, short = (read_schema(f.name) for f in (CLICK_WORLD, CLICK_WORLD_5))
    for feature in short.feature:
        if feature.value_count.max == 5:
            feature.value_count.max = 20
    assert short == long


def test_a_feature_set_is_found_by_either_spelling():
    assert feature_set("movielens-100k") is MOVIELENS_100K
    with pytest.raises(ValueError, match="'ads'.*movielens_100k"):
        feature_set("ads")


def test_boundaries_belong_to_bucketized_features_only():
    with pytest.raises(ValueError, match="'age'.*boundaries"):
        Feature("age", Kind.BUCKETIZED)
    with pytest.raises(ValueError, match="'id'.*boundaries"):
        Feature("id", Kind.CATEGORICAL, boundaries=(1.0,))


def test_a_numeric_user_feature_is_refused_with_the_remedy():
    age = Feature("age", Kind.NUMERIC)
    with pytest.raises(ValueError, match="'age'.*BUCKETIZED"):
        FeatureSet("x", (age,), (), (), (), list_length=2, history_length=2)


def test_groups_of_a_slice_meet_at_their_boundaries():
    by_age = Slice("age", "user_age", (25, 35))
    assert by_age.labels() == ("0-24", "25-34", "35+")
    assert [by_age.label([x]) for x in (0, 24, 25, 34, 35, 90)] == [
        "0-24",
        "0-24",
        "25-34",
        "25-34",
        "35+",
        "35+",
    ]


def test_groups_by_length_count_values():
    by_length = Slice("history", "history_item_id", (1, 5), of_length=True)
    assert by_length.labels() == ("0", "1-4", "5+")
    assert by_length.label([]) == "0"
    assert by_length.label(["a"] * 4) == "1-4"
    assert by_length.label(["a"] * 5) == "5+"


def test_ids_are_laid_one_feature_after_the_other():
    features = (
        Feature("item", Kind.CATEGORICAL),
        Feature("price", Kind.NUMERIC),
        Feature("tags", Kind.MULTIVALENT, max_values=3),
        Feature("year", Kind.BUCKETIZED, (1990, 2000)),
    )
    sizes = {"vocabulary_item": 10, "vocabulary_tags": 4}
    space = id_space(features, sizes.__getitem__)
    # 0 padding | 1 unknown item, 2-11 items | 12 unknown tag, 13-16 tags
    # | 17 unknown year, 18-20 the three buckets
    assert space.unknown_ids == (1, 12, 17)
    assert space.widths == (1, 3, 1)
    assert space.rows == 21
