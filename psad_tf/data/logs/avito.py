"""Avito's context ads: a page of search results is a list; see docs/raw_logs.md."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.delimited import Delimited
from psad_tf.data.logs.protocol import PAPER, Protocol
from psad_tf.data.logs.reader import ITEM, LABEL, POSITION, REQUEST, TIME, USER, Reader
from psad_tf.data.logs.tables import Column, Kind, Rejects, Table
from psad_tf.feature_sets import AVITO
from psad_tf.features import INITIAL_SCORE

_CONTEXT = "3"  # the type of ads whose clicks were logged
NONE = "null"  # what a profile that is not there says


def _derive_shown(rows: pa.Table) -> pa.Table:
    """Labels of texts, and a score that falls with the position."""
    label = pc.equal(rows["is_click"], "1").cast(pa.int8())
    position = np.maximum(rows[POSITION].to_numpy(), 1)
    rows = rows.append_column(LABEL, label)
    return rows.append_column(INITIAL_SCORE, pa.array(1.0 / position))


def _reject_shown(rows: pa.Table) -> Rejects:
    """Rows whose click is not known cannot be learned from."""
    is_blank = pc.equal(rows["is_click"], "")
    is_other = pc.not_equal(rows["object_type"], _CONTEXT)
    is_odd = pc.invert(pc.is_in(rows["is_click"], pa.array(["", "0", "1"])))
    return {"no_label": pc.or_(is_other, is_blank), "bad_label": is_odd}


def _derive_search(rows: pa.Table) -> pa.Table:
    has_query = pc.if_else(pc.equal(rows["query"], ""), "0", "1")
    return rows.drop_columns(["query"]).append_column("search_has_query", has_query)


def _derive_ad(rows: pa.Table) -> pa.Table:
    price = np.maximum(rows["price"].to_numpy(), 0.0)
    rows = rows.drop_columns(["price"])
    return rows.append_column("log_price", pa.array(np.log1p(price)))


_SHOWN = Table(
    "trainSearchStream",
    ("trainSearchStream.tsv*",),
    Delimited(
        (
            Column("SearchID", REQUEST, Kind.ID),
            Column("AdID", ITEM, Kind.ID),
            Column("Position", POSITION, Kind.WHOLE),
            Column("ObjectType", "object_type", Kind.TEXT),
            # Empty where the ad is no context ad.
            Column("HistCTR", "historical_click_rate", Kind.NUMBER, empty=0.0),
            Column("IsClick", "is_click", Kind.TEXT),
        ),
        separator="\t",
    ),
    derive=_derive_shown,
    reject=_reject_shown,
)
_SEARCHES = Table(
    "SearchInfo",
    ("SearchInfo.tsv*",),
    Delimited(
        (
            Column("SearchID", REQUEST, Kind.ID),
            Column("SearchDate", TIME, Kind.TIME),
            Column("UserID", USER, Kind.ID),
            Column("IsUserLoggedOn", "search_is_logged_on", Kind.TEXT),
            Column("SearchQuery", "query", Kind.TEXT),
            Column("LocationID", "search_location", Kind.TEXT),
            Column("CategoryID", "search_category", Kind.TEXT),
        ),
        separator="\t",
    ),
    key=REQUEST,
    derive=_derive_search,
)
_ADS = Table(
    "AdsInfo",
    ("AdsInfo.tsv*",),
    Delimited(
        (
            Column("AdID", ITEM, Kind.ID),
            Column("LocationID", "location", Kind.TEXT),
            Column("CategoryID", "category", Kind.TEXT),
            Column("Price", "price", Kind.NUMBER, empty=0.0),
        ),
        separator="\t",
    ),
    key=ITEM,
    derive=_derive_ad,
)
_PROFILES = {
    "UserAgentID": "user_agent",
    "UserAgentFamilyID": "user_agent_family",
    "UserAgentOSID": "user_os",
    "UserDeviceID": "user_device",
}
_USERS = Table(
    "UserInfo",
    ("UserInfo.tsv*",),
    Delimited(
        (
            Column("UserID", USER, Kind.ID),
            *(Column(raw, name, Kind.TEXT) for raw, name in _PROFILES.items()),
        ),
        separator="\t",
    ),
    key=USER,
    missing=dict.fromkeys(_PROFILES.values(), NONE),
)
# "Ads on the most recent search page are used as prediction targets, while the
# preceding pages serve as historical behaviors"; that the page must have a click, what
# the splits are, and that two ads make a page are inferred.
_PAPER = Protocol(
    list_length=AVITO.list_length,
    history_length=AVITO.history_length,
    shares=(0.0, 0.8, 0.1),
    by_time=True,
    window_seconds=0,
    window_length=AVITO.list_length,
    one_list=True,
    min_candidates=2,
)
AVITO_READER = Reader(
    features=AVITO,
    protocols={PAPER: _PAPER},
    impressions=_SHOWN,
    requests=_SEARCHES,
    items=_ADS,
    users=_USERS,
)
