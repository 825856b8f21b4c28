"""Avito's context ads: pages of search results; see docs/raw_logs.md."""

from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet, Kind, Slice

AVITO = FeatureSet(
    name="avito",
    user=(
        Feature("user_id", Kind.CATEGORICAL, min_count=3, hash_buckets=10_000),
        Feature("user_agent", Kind.CATEGORICAL, min_count=5),
        Feature("user_agent_family", Kind.CATEGORICAL),
        Feature("user_os", Kind.CATEGORICAL),
        Feature("user_device", Kind.CATEGORICAL, min_count=5),
        # Of the search: what was asked for, and where.
        Feature("search_is_logged_on", Kind.CATEGORICAL),
        Feature("search_has_query", Kind.CATEGORICAL),
        Feature("search_location", Kind.CATEGORICAL),
        Feature("search_category", Kind.CATEGORICAL),
        # How many context ads this user was shown before the search.
        Feature("user_row_count", Kind.BUCKETIZED, (1, 5, 20, 50, 200)),
    ),
    item=(
        Feature(ITEM_ID, Kind.CATEGORICAL, min_count=5, hash_buckets=20_000),
        Feature("category", Kind.CATEGORICAL),
        Feature("location", Kind.CATEGORICAL),
        # Of an ad without a price it is 0.
        Feature("log_price", Kind.NUMERIC),
    ),
    candidate=(
        Feature(INITIAL_SCORE, Kind.NUMERIC),
        # The site's own estimate of the ad's click rate at that moment.
        Feature("historical_click_rate", Kind.NUMERIC),
        # Of all context ads before the day of the search: clicks by impressions,
        # smoothed.
        Feature("click_rate", Kind.NUMERIC),
        Feature("log_impressions", Kind.NUMERIC),
    ),
    history=(Feature("log_hours_ago", Kind.NUMERIC),),
    list_length=5,
    history_length=50,
    slices=(
        Slice("history_length", "history_item_id", (1, 5, 20), of_length=True),
        # 0 are the cold users.
        Slice("user_activity", "user_row_count", (1, 20, 100)),
    ),
    category="category",
)
