"""Taobao's display advertisements: which columns of which files mean what.


It reads `raw_sample.csv`, `ad_feature.csv` and `user_profile.csv`. `behavior_log.csv`
is not read: it names no item, and a history is one of items.
"""

import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.protocol import LIBRERANK, PAPER, Protocol
from psad_tf.data.logs.reader import InitialRanker, Reader
from psad_tf.data.logs.tables import Column, Kind, Table
from psad_tf.feature_sets.ad import AD

NONE = "null"  # what the established code calls a field that is not there
_PROFILE = {
    "cms_segid": "user_segment",
    "cms_group_id": "user_group",
    "final_gender_code": "user_gender",
    "age_level": "user_age_level",
    "pvalue_level": "user_consumption",
    "shopping_level": "user_shopping_depth",
    "occupation": "user_is_student",
    "new_user_class_level": "user_city_tier",
}


def _with_log_price(rows: pa.Table) -> pa.Table:
    price = pc.log1p(rows["price"])
    return rows.drop_columns(["price"]).append_column("log_price", price)


def _negative_price(rows: pa.Table) -> dict[str, pa.Array]:
    price = pc.fill_null(rows["log_price"], float("nan"))
    return {"negative_price": pc.invert(pc.greater_equal(price, 0)).combine_chunks()}


IMPRESSIONS = Table(
    "raw_sample",
    ("raw_sample.csv*",),
    Delimited(
        (
            Column("user", "user", Kind.ID),
            Column("time_stamp", "time", Kind.WHOLE),
            Column("adgroup_id", "item", Kind.ID),
            Column("clk", "label", Kind.FLAG),
        )
    ),
)
ITEMS = Table(
    "ad_feature",
    ("ad_feature.csv*",),
    Delimited(
        (
            Column("adgroup_id", "item", Kind.ID),
            Column("cate_id", "category", Kind.TEXT, empty=NONE),
            Column("campaign_id", "campaign", Kind.TEXT, empty=NONE),
            Column("customer", "customer", Kind.TEXT, empty=NONE),
            Column("brand", "brand", Kind.TEXT, empty=NONE),
            Column("price", "price", Kind.NUMBER),
        )
    ),
    key="item",
    derive=_with_log_price,
    reject=_negative_price,
)
USERS = Table(
    "user_profile",
    ("user_profile.csv*",),
    Delimited(
        (
            Column("userid", "user", Kind.ID),
            # A blank is a value of its own: who has a profile, but not this of it.
            *(Column(raw, name, Kind.TEXT) for raw, name in _PROFILE.items()),
        )
    ),
    key="user",
    missing=dict.fromkeys(_PROFILE.values(), NONE),
)

AD_READER = Reader(
    features=AD,
    protocols={
        PAPER: Protocol(
            list_length=AD.list_length,
            history_length=AD.history_length,
            shares=(0.3, 0.5, 0.1),
            by_time=True,
        ),
        LIBRERANK: Protocol(
            list_length=10,
            history_length=AD.history_length,
            # 40 % for the initial ranker, 50 % for the reranker, of which a tenth
            # validates, and 10 % for the test.
            shares=(0.4, 0.45, 0.05),
            by_time=False,
            window_length=30,
            one_list=True,
            min_item_rows=0,
            min_user_rows=3,
            min_candidates=1,
            both_labels=False,
        ),
    },
    impressions=IMPRESSIONS,
    items=ITEMS,
    users=USERS,
    initial_ranker=InitialRanker(
        numbers=("log_price",),
        codes=tuple(_PROFILE.values()),
    ),
    utc_offset=8 * 3600,
)
