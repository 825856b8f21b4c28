"""Lists of every awkward kind, and both ways to ask about them."""

import numpy as np
from fitted_transform import FEATURES, USER, A, B, C, candidate, past_item

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists
from psad_tf.data.ranking_list import RankingList

SIGNATURES = ("serving_default", "rank")


def past(n):
    """`n` past items, all different, oldest first."""
    return [
        past_item("ab"[i % 2], "War", 1950.0 + i, 1 + i % 4, 9 - i / 10, 1.0 + i % 5)
        for i in range(n)
    ]


def offered(n):
    """`n` candidates, all different."""
    genres = ("Drama", "War", "Drama|War", "")
    return [
        candidate("abcxyz"[i % 6], genres[i % 4], 1940.0 + 3 * i, 1 + i % 5, i / 7)
        for i in range(n)
    ]


STRANGER = {**USER, "user_id": "nobody", "user_gender": "", "user_zip_prefix": "?"}
LISTS = [
    RankingList(USER, offered(20), past(50)),  # the fullest
    RankingList(USER, [A, B, C], past(1)),
    RankingList(USER, [B, A]),  # no history
    RankingList(USER, [C], past(3)),  # one candidate
    RankingList(STRANGER, [candidate("new", "Opera|War", 2030.0, 2.5), A], past(2)),
]


def inputs_of(signature, lists, features=FEATURES) -> dict[str, np.ndarray]:
    """What a signature is sent about lists."""
    if signature == "rank":
        return pack_lists(lists, features)
    examples = [encode_list(one, features) for one in lists]
    return {"examples": np.array(examples, object)}
