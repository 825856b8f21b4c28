"""PRM Public: a line is a page of up to 30 items; see docs/raw_logs.md."""

from psad_tf.data.logs.prm_public_lines import PageLines
from psad_tf.data.logs.protocol import LIBRERANK, PAPER, Protocol
from psad_tf.data.logs.reader import Reader
from psad_tf.data.logs.tables import Table
from psad_tf.feature_sets import PRM_PUBLIC

_PAGES = Table("pages", ("set*.train.txt.part*",), PageLines(PRM_PUBLIC.list_length))
# "We use the last interacted list as the target, while interactions from previous
# lists are used to build the history lists." The splits are inferred.
_PAPER = Protocol(
    list_length=PRM_PUBLIC.list_length,
    history_length=PRM_PUBLIC.history_length,
    shares=(0.0, 0.8, 0.1),
    by_time=False,
    window_seconds=0,
    window_length=PRM_PUBLIC.list_length,
    one_list=True,
)
# Users with more than three lists; no item is left out. The initial ranker's 40 % are
# set aside though the files come in an initial order, so that sizes can be compared.
_LIBRERANK = Protocol(
    list_length=PRM_PUBLIC.list_length,
    history_length=30,
    shares=(0.4, 0.45, 0.05),
    by_time=False,
    window_seconds=0,
    window_length=PRM_PUBLIC.list_length,
    one_list=True,
    min_item_rows=0,
    min_user_rows=3 * PRM_PUBLIC.list_length + 1,
)
PRM_PUBLIC_READER = Reader(
    features=PRM_PUBLIC,
    protocols={PAPER: _PAPER, LIBRERANK: _LIBRERANK},
    impressions=_PAGES,
)
