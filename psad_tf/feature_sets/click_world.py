"""The click world, a simulation: lists of 20, and of 5 for which every order is tried.

See `psad_tf.data.click_world` for how its users, items and clicks come about.
"""

from dataclasses import replace

from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet, Kind, Slice

TRUE_RELEVANCE = "true_relevance"

CLICK_WORLD = FeatureSet(
    name="click_world",
    user=(
        Feature("user_id", Kind.CATEGORICAL),
        Feature("user_age", Kind.BUCKETIZED, (25, 35, 50)),
        Feature("user_gender", Kind.CATEGORICAL),
        Feature("user_segment", Kind.CATEGORICAL),
        Feature("user_city_tier", Kind.CATEGORICAL),
        # How many lists this user has seen before.
        Feature("user_list_count", Kind.BUCKETIZED, (1, 5, 10, 20)),
    ),
    item=(
        Feature(ITEM_ID, Kind.CATEGORICAL, min_count=3),
        Feature("category", Kind.CATEGORICAL),
        Feature("brand", Kind.CATEGORICAL),
        Feature("log_price", Kind.NUMERIC),
        # By how many deviations it is dearer than its category usually is.
        Feature("price_level", Kind.NUMERIC),
        # Of all lists before the day of the list: clicks by impressions, smoothed.
        Feature("click_rate", Kind.NUMERIC),
        Feature("log_impressions", Kind.NUMERIC),
    ),
    candidate=(Feature(INITIAL_SCORE, Kind.NUMERIC),),
    history=(Feature("log_hours_ago", Kind.NUMERIC),),
    list_length=20,
    history_length=50,
    slices=(
        Slice("history_length", "history_item_id", (1, 5, 20), of_length=True),
        # 0 are the cold users.
        Slice("user_activity", "user_list_count", (1, 5, 15)),
        # The younger, the more of their interest is the moment's.
        Slice("age_group", "user_age", (25, 35, 50)),
    ),
    truth=(Feature(TRUE_RELEVANCE, Kind.NUMERIC),),
    category="category",
)

CLICK_WORLD_5 = replace(CLICK_WORLD, name="click_world_5", list_length=5)
