"""Hand-made lists."""

import pytest

from psad_tf.data.ranking_list import RankingList


@pytest.fixture
def make_item():
    """A function that makes an item's shared features."""

    def make(item_id: str = "7", **changes):
        item = {"item_id": item_id, "genres": "Crime|Drama", "year": 1995.0}
        item |= {"mean_rating": 3.5, "like_rate": 0.5, "log_rating_count": 0.0}
        return item | changes

    return make


@pytest.fixture
def make_list(make_item):
    """A function that makes a valid list of MovieLens-100K, with changes."""

    def make(**changes) -> RankingList:
        user = {"user_id": "1", "user_age": 24.0, "user_gender": "M"}
        user |= {"user_occupation": "writer", "user_zip_prefix": "8"}
        offered = {"initial_score": 0.25, "genre_affinity": 0.5, "year_affinity": -0.5}
        offered |= {"similar_items": 0.25, "similar_users": 0.0}
        fields = {
            "user": user | {"user_rating_count": 3.0},
            "candidates": [make_item(n, **offered) for n in ("7", "8", "9")],
            "history": [make_item("5", rating=4.0, liked=1.0, log_hours_ago=1.5)],
            "labels": [1.0, 0.0, 1.0],
            "request_id": "1-100-0",
            "timestamp": 100,
        }
        return RankingList(**(fields | changes))

    return make
