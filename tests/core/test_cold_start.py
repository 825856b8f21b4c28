"""What a model knows, and the groups that follow from it."""

from dataclasses import replace

import pytest

from psad_tf.cold_start import (
    UnknownSlice,
    Vocabulary,
    cold_start_slices,
    group_of,
    known_values,
)
from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import Feature, FeatureSet, Kind, Slice

KNOWN = {
    "user_id": Vocabulary(frozenset({b"u1"})),
    "user_tags": Vocabulary(frozenset({b"a", b"b"}), is_multivalent=True),
    "candidate_item_id": Vocabulary(frozenset({b"i1", b"i|2", "é".encode()})),
}
FEATURES = FeatureSet(
    "shop",
    user=(
        Feature("user_id", Kind.CATEGORICAL),
        Feature("user_age", Kind.BUCKETIZED, (18,)),
        Feature("user_tags", Kind.MULTIVALENT, max_values=3),
    ),
    item=(Feature("item_id", Kind.CATEGORICAL), Feature("price", Kind.NUMERIC)),
    candidate=(),
    history=(),
    list_length=4,
    history_length=4,
)


def test_a_value_is_known_if_all_of_its_parts_are():
    tags = KNOWN["user_tags"]
    assert "a|b" in tags and b"b" in tags
    assert "a|c" not in tags and "" not in tags
    # A bar means nothing in a value of one part; text and its bytes are the same.
    assert "i|2" in KNOWN["candidate_item_id"]
    assert "é" in KNOWN["candidate_item_id"]


@pytest.mark.parametrize(
    ("items", "label"),
    [
        (["i1", "i1"], "known"),
        (["i1"] * 9 + ["new"], "up to 10% new"),
        (["i1"] * 8 + ["new"], "up to 50% new"),
        (["i1", "new"], "up to 50% new"),
        ([b"new"], "over 50% new"),
        ([], "known"),
    ],
)
def test_the_share_of_unknown_values_decides(items, label):
    partition = UnknownSlice("items", ("candidate_item_id",), (0.1, 0.5))
    assert partition.label({"candidate_item_id": items}, KNOWN) == label
    assert label in partition.labels()


def test_any_unknown_value_of_several_features_is_enough():
    partition = UnknownSlice("profile", ("user_id", "user_tags"))
    assert partition.labels() == ("known", "unknown")
    for user, tags, label in (
        ("u1", "a", "known"),
        ("u2", "a", "unknown"),
        ("u1", "c", "unknown"),
    ):
        values = {"user_id": [user], "user_tags": [tags]}
        assert group_of(partition, values, KNOWN) == label


def test_a_raw_slice_needs_no_vocabulary():
    past = Slice("past_items", "history_item_id", (1,), of_length=True)
    assert group_of(past, {"history_item_id": []}, {}) == "0"
    assert group_of(past, {"history_item_id": ["a", "b"]}, {}) == "1+"


def test_every_kind_of_cold_start_has_its_partition():
    found = {s.name: s for s in cold_start_slices(FEATURES)}
    assert list(found) == ["user", "profile", "past_items", "items"]
    assert found["user"].features == ("user_id",)
    # A bucket is never unknown.
    assert found["profile"].features == ("user_tags",)
    assert found["items"].features == ("candidate_item_id",)
    assert found["past_items"].feature == "history_item_id"


def test_a_place_without_text_has_no_partition():
    age_only = replace(FEATURES, user=FEATURES.user[1:2])
    assert [s.name for s in cold_start_slices(age_only)] == ["past_items", "items"]


def test_vocabularies_come_with_the_model(tmp_path):
    (tmp_path / "assets").mkdir()
    names = ("user_id", "user_gender", "user_occupation", "user_zip_prefix")
    names += ("item_id", "genres")
    for name in names:
        (tmp_path / "assets" / f"vocabulary_{name}").write_text(f"{name}\nx\n")
    known = known_values(tmp_path, MOVIELENS_100K)
    assert known["user_gender"].values == {b"user_gender", b"x"}
    assert known["candidate_genres"] == Vocabulary(frozenset({b"genres", b"x"}), True)
    assert "user_age" not in known
    (tmp_path / "assets" / "vocabulary_genres").unlink()
    with pytest.raises(FileNotFoundError, match="vocabulary_genres is missing.*export"):
        known_values(tmp_path, MOVIELENS_100K)
