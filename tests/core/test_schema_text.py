"""A schema that follows from features, against the schemas written by hand."""

import pytest

from psad_tf.feature_sets import AD, AVITO, CLICK_WORLD, MOVIELENS_100K, PRM_PUBLIC
from psad_tf.schema_text import schema_text
from schemas import schema_path

SETS = AD, AVITO, CLICK_WORLD, MOVIELENS_100K, PRM_PUBLIC


def without_remarks(text):
    """The schema without what only people know: comments, and domains but labels'."""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = text_format.Parse(text, schema_pb2.Schema())
    for feature in schema.feature:
        feature.ClearField("annotation")
        if feature.name != "label":
            feature.ClearField("domain_info")
            feature.ClearField("float_domain")
    return schema


@pytest.mark.parametrize("features", SETS, ids=lambda features: features.name)
def test_it_is_the_schema_by_hand_without_its_remarks(features):
    by_hand = schema_path(features.name).read_text()
    assert without_remarks(schema_text(features)) == without_remarks(by_hand)


def test_of_a_made_up_set_every_line():
    from psad_tf.features import Feature, FeatureSet, Kind

    user = (Feature("user_id", Kind.CATEGORICAL),)
    past = (Feature("log_hours_ago", Kind.NUMERIC),)
    text = schema_text(FeatureSet("shop", user, (), (), past, 3, 7))
    blocks = text.split("feature {\n")
    assert len(blocks) == 6  # head, request, time, user, history, label
    assert blocks[3].split("\n")[:5] == [
        '  name: "user_id"',
        "  type: BYTES",
        "  presence { min_fraction: 1.0 min_count: 1 }",
        "  shape {}",
        "}",
    ]
    assert '  name: "history_log_hours_ago"\n  type: FLOAT\n' in blocks[4]
    assert "value_count { min: 0 max: 7 }" in blocks[4]
    assert "value_count { min: 1 max: 3 }" in blocks[5]
