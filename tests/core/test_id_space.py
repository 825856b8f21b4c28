"""Ids with hash buckets, and how they reach the model's configuration."""

from dataclasses import replace

import pytest

from psad_tf.features import Feature, FeatureSet, Kind
from psad_tf.id_space import id_space
from psad_tf.sizing import model_config

ITEM = Feature("item_id", Kind.CATEGORICAL, min_count=3, hash_buckets=4)
FEATURES = FeatureSet(
    "shop",
    user=(
        Feature("user_id", Kind.CATEGORICAL),
        Feature("user_age", Kind.BUCKETIZED, (18,)),
        Feature("user_city", Kind.CATEGORICAL),
    ),
    item=(ITEM, Feature("tags", Kind.MULTIVALENT, max_values=2)),
    candidate=(),
    history=(),
    list_length=10,
    history_length=4,
)
SIZES = {
    "vocabulary_item_id": 10,
    "vocabulary_tags": 5,
    "vocabulary_user_id": 7,
    "vocabulary_user_city": 2,
}


def test_buckets_stand_between_the_unknown_id_and_the_vocabulary():
    space = id_space(FEATURES.item, SIZES.__getitem__)
    # 0 padding | 1 unknown, 2-5 buckets, 6-15 items | 16 unknown tag, 17-21 tags
    assert space.unknown_ids == (1, 16)
    assert space.hash_buckets == (4, 0)
    assert space.rows == 22


def test_the_model_is_told_of_the_buckets():
    config = model_config(FEATURES, SIZES.__getitem__, {})
    assert (config.item_rows, config.item_hash_buckets) == (22, (4, 0))
    # 0 | 1, 2-8 users | 9, 10-11 ages | 12, 13-14 cities
    assert (config.user_rows, config.user_hash_buckets) == (15, (0, 0, 0))
    assert config.user_unknown_ids == (1, 9, 12)


def test_every_text_of_a_profile_may_be_dropped_unless_chosen_otherwise():
    # A bucket of ages is never unknown, so nothing is to be learned of that.
    config = model_config(FEATURES, SIZES.__getitem__, {})
    assert config.user_id_dropout_fields == (0, 2)
    chosen = model_config(FEATURES, SIZES.__getitem__, {"user_id_dropout_fields": [0]})
    assert chosen.user_id_dropout_fields == (0,)


def test_without_buckets_the_layout_is_as_before():
    features = replace(FEATURES, item=(replace(ITEM, hash_buckets=0), FEATURES.item[1]))
    config = model_config(features, SIZES.__getitem__, {})
    assert (config.item_rows, config.item_unknown_ids) == (18, (1, 12))


@pytest.mark.parametrize(
    ("kind", "more", "buckets"),
    [
        (Kind.NUMERIC, {}, 3),
        (Kind.BUCKETIZED, {"boundaries": (1.0,)}, 3),
        (Kind.CATEGORICAL, {}, -1),
    ],
)
def test_buckets_belong_to_text(kind, more, buckets):
    with pytest.raises(ValueError, match=f"'x': hash_buckets={buckets}.*text features"):
        Feature("x", kind, hash_buckets=buckets, **more)
