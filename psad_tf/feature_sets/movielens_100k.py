"""MovieLens-100K: a rating is a click when it is 4 or 5."""

from psad_tf.features import INITIAL_SCORE, ITEM_ID, Feature, FeatureSet, Kind, Slice

MOVIELENS_100K = FeatureSet(
    name="movielens_100k",
    user=(
        Feature("user_id", Kind.CATEGORICAL),
        Feature("user_age", Kind.BUCKETIZED, (18, 25, 35, 45, 50, 56)),
        Feature("user_gender", Kind.CATEGORICAL),
        Feature("user_occupation", Kind.CATEGORICAL),
        Feature("user_zip_prefix", Kind.CATEGORICAL),
        # How many ratings this user gave before the list began.
        Feature("user_rating_count", Kind.BUCKETIZED, (1, 20, 50, 100, 200)),
    ),
    item=(
        Feature(ITEM_ID, Kind.CATEGORICAL, min_count=3),
        Feature("genres", Kind.MULTIVALENT, max_values=6),
        # Below 1 is the bucket of titles without a year.
        Feature("year", Kind.BUCKETIZED, (1, 1950, 1970, 1980, 1990, 1994, 1996, 1997)),
        # Of all ratings before the list began: smoothed mean, share of likes, count.
        Feature("mean_rating", Kind.NUMERIC),
        Feature("like_rate", Kind.NUMERIC),
        Feature("log_rating_count", Kind.NUMERIC),
    ),
    candidate=(
        Feature(INITIAL_SCORE, Kind.NUMERIC),
        # How well it fits the user's taste; see `psad_tf.data.affinity`.
        Feature("genre_affinity", Kind.NUMERIC),
        Feature("year_affinity", Kind.NUMERIC),
        Feature("similar_items", Kind.NUMERIC),
        Feature("similar_users", Kind.NUMERIC),
    ),
    history=(
        # What the user did with it: how many stars, and whether that is a like.
        Feature("rating", Kind.NUMERIC),
        Feature("liked", Kind.NUMERIC),
        Feature("log_hours_ago", Kind.NUMERIC),
    ),
    list_length=20,
    history_length=50,
    slices=(
        Slice("history_length", "history_item_id", (1, 5, 20), of_length=True),
        # 0 are the cold users.
        Slice("user_activity", "user_rating_count", (1, 20, 100)),
        Slice("age_group", "user_age", (25, 35, 50)),
    ),
    category="genres",
)
