"""Taobao's Ad logs: eight days of display advertisements; see docs/raw_logs.md."""

from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet, Kind, Slice

AD = FeatureSet(
    name="ad",
    user=(
        # A million users, most with a few lists: who has one or two in the training
        # lists shares an embedding with others.
        Feature("user_id", Kind.CATEGORICAL, min_count=3, hash_buckets=10_000),
        Feature("user_segment", Kind.CATEGORICAL),
        Feature("user_group", Kind.CATEGORICAL),
        Feature("user_gender", Kind.CATEGORICAL),
        Feature("user_age_level", Kind.CATEGORICAL),
        Feature("user_consumption", Kind.CATEGORICAL),
        Feature("user_shopping_depth", Kind.CATEGORICAL),
        Feature("user_is_student", Kind.CATEGORICAL),
        Feature("user_city_tier", Kind.CATEGORICAL),
        # How many ads this user was shown before the list's window.
        Feature("user_row_count", Kind.BUCKETIZED, (1, 5, 20, 50, 200)),
    ),
    item=(
        Feature(ITEM_ID, Kind.CATEGORICAL, min_count=5, hash_buckets=20_000),
        Feature("category", Kind.CATEGORICAL),
        Feature("campaign", Kind.CATEGORICAL, min_count=5, hash_buckets=10_000),
        Feature("customer", Kind.CATEGORICAL, min_count=5, hash_buckets=10_000),
        Feature("brand", Kind.CATEGORICAL, min_count=3, hash_buckets=2_000),
        Feature("log_price", Kind.NUMERIC),
    ),
    candidate=(
        Feature(INITIAL_SCORE, Kind.NUMERIC),
        # Of all rows before the day of the list's window: clicks by impressions,
        # smoothed.
        Feature("click_rate", Kind.NUMERIC),
        Feature("log_impressions", Kind.NUMERIC),
    ),
    history=(Feature("log_hours_ago", Kind.NUMERIC),),
    list_length=20,
    history_length=50,
    slices=(
        Slice("history_length", "history_item_id", (1, 5, 20), of_length=True),
        # 0 are the cold users.
        Slice("user_activity", "user_row_count", (1, 20, 100)),
    ),
    category="category",
)
