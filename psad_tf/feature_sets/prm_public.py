"""PRM Public: pages of 30 items of an online shop; see docs/raw_logs.md.

What most features are is not published: they keep their places in the files as names.
"""

from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet, Kind, Slice

# Standardised by whoever published them.
BASIC = tuple(f"basic_{number}" for number in range(1, 8))
OPTIONAL = tuple(f"optional_{number}" for number in range(1, 13))

PRM_PUBLIC = FeatureSet(
    name="prm_public",
    user=(
        # Seven hundred thousand users, each with some twenty pages.
        Feature("user_id", Kind.CATEGORICAL, min_count=3, hash_buckets=10_000),
        Feature("user_feature_1", Kind.CATEGORICAL),
        Feature("user_feature_2", Kind.CATEGORICAL),
        Feature("user_feature_3", Kind.CATEGORICAL),
    ),
    item=(
        # Seven million items, half of which stand in a page or two.
        Feature(ITEM_ID, Kind.CATEGORICAL, min_count=5, hash_buckets=100_000),
        Feature("category", Kind.CATEGORICAL),
        Feature("item_feature_3", Kind.CATEGORICAL),
        Feature("item_feature_4", Kind.CATEGORICAL),
        Feature("item_feature_5", Kind.CATEGORICAL),
        *(Feature(name, Kind.NUMERIC) for name in BASIC + OPTIONAL),
    ),
    candidate=(Feature(INITIAL_SCORE, Kind.NUMERIC),),
    history=(),  # the files have no time, so nothing says how long ago a click was
    list_length=30,
    history_length=50,
    slices=(Slice("history_length", "history_item_id", (1, 5, 20), of_length=True),),
    category="category",
)
