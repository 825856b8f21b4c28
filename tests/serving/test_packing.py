"""Lists as plain padded arrays, worked by hand on a feature set of few columns."""

from dataclasses import replace

import numpy as np
import pytest
from serving_lists import FEATURES, ranking_list

from psad_tf.data.errors import DataError
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import Feature, FeatureSet, Kind

FEW = FeatureSet(
    name="few",
    user=(
        Feature("age", Kind.BUCKETIZED, (18,)),
        Feature("gender", Kind.CATEGORICAL),
    ),
    item=(Feature("price", Kind.NUMERIC), Feature("item_id", Kind.CATEGORICAL)),
    candidate=(Feature("tags", Kind.MULTIVALENT), Feature("score", Kind.NUMERIC)),
    history=(Feature("hours", Kind.NUMERIC),),
    list_length=3,
    history_length=2,
)
FIRST = RankingList(
    {"age": 30, "gender": "f"},
    [
        {"price": 1.5, "item_id": "a", "tags": "x|y", "score": 0.5},
        {"price": 2.5, "item_id": "ü", "tags": "", "score": 0.25},
    ],
    [{"price": 9, "item_id": "h", "hours": 4}],
)
SECOND = RankingList({"age": 7, "gender": "m"}, [FIRST.candidates[0]])


def test_columns_follow_the_feature_set_and_rows_are_padded():
    packed = pack_lists([FIRST, SECOND], FEW)
    expected = {
        "user_text": [[b"f"], [b"m"]],
        "user_values": [[30], [7]],
        # item_id before tags, price before score: the item's features come first.
        "candidate_text": [
            [[b"a", b"x|y"], ["ü".encode(), b""]],
            [[b"a", b"x|y"], [b"", b""]],
        ],
        "candidate_values": [[[1.5, 0.5], [2.5, 0.25]], [[1.5, 0.5], [0, 0]]],
        "candidate_count": [2, 1],
        "history_text": [[[b"h"]], [[b""]]],
        "history_values": [[[9, 4]], [[0, 0]]],
        "history_count": [1, 0],
    }
    assert {name: array.tolist() for name, array in packed.items()} == expected


def test_types_are_those_of_the_signature():
    for name, array in pack_lists([FIRST], FEW).items():
        kind = {"text": object, "values": np.float32, "count": np.int32}
        assert array.dtype == kind[name.split("_")[1]], name


def test_shapes_hold_when_nobody_has_a_history():
    packed = pack_lists([SECOND], FEW)
    assert packed["history_text"].shape == (1, 0, 1)
    assert packed["history_values"].shape == (1, 0, 2)


def test_the_real_feature_set_packs_into_its_columns():
    packed = pack_lists([ranking_list([1] * 20, history=50)], FEATURES)
    text = [f.kind.is_text for f in FEATURES.of_candidates()]
    assert packed["candidate_text"].shape == (1, 20, sum(text))
    assert packed["candidate_values"].shape == (1, 20, len(text) - sum(text))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(FIRST, user={"age": 30}), "gender"),
        (replace(FIRST, user={"age": float("nan"), "gender": "f"}), "age"),
        (replace(FIRST, user={"age": 30, "gender": 1}), "gender"),
        (replace(FIRST, candidates=[FIRST.candidates[0]] * 4), "4 candidates"),
        (replace(FIRST, candidates=[]), "0 candidates"),
        (replace(FIRST, history=[FIRST.history[0]] * 3), "3 past items"),
    ],
)
def test_what_the_encoder_refuses_is_not_packed(wrong, told):
    with pytest.raises(DataError, match=told):
        pack_lists([FIRST, wrong], FEW)
