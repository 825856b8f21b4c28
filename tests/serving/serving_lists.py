"""Ranking lists that a test can reason about."""

from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import INITIAL_SCORE

FEATURES = MOVIELENS_100K


def item(columns, **given):
    """An item whose text features are "x" and whose numbers are 1, but for `given`."""
    values = {f.name: "x" if f.kind.is_text else 1.0 for f in columns}
    return values | given


def ranking_list(scores, ids=None, history=2) -> RankingList:
    """Candidates `i0`, `i1`, ... (or `ids`) with these initial scores."""
    ids = ids or [f"i{n}" for n in range(len(scores))]
    candidates = [
        item(FEATURES.of_candidates(), item_id=name) | {INITIAL_SCORE: float(score)}
        for name, score in zip(ids, scores, strict=True)
    ]
    past = [item(FEATURES.of_history(), item_id=f"h{n}") for n in range(history)]
    return RankingList(item(FEATURES.user), candidates, past)
