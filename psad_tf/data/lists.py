"""From a chunk of ratings to a `RankingList`: features as of the moment it began."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.affinity import Affinity
from psad_tf.data.first_stage import FirstStage
from psad_tf.data.log import LIKE, Item, Log, User
from psad_tf.data.ranking_list import RankingList, Value
from psad_tf.data.statistics import ItemStatistics
from psad_tf.data.windows import Chunk
from psad_tf.features import INITIAL_SCORE, ITEM_ID, VALUE_SEPARATOR

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Context:
    """What lists of one log need besides the ratings of their user.

    Args:
        users: As in the `Log`.
        items: As in the `Log`.
        statistics: Of all ratings of the log.
        affinity: Of all ratings of the log.
        first_stage: Scores user and item pairs; sets the initial order.
    """

    users: tuple[User, ...]
    items: tuple[Item, ...]
    statistics: ItemStatistics
    affinity: Affinity
    first_stage: FirstStage

    @classmethod
    def of(cls, log: Log, first_stage: FirstStage) -> "Context":
        return cls(
            log.users,
            log.items,
            ItemStatistics(log.ratings),
            Affinity(log.ratings, len(log.users), log.items),
            first_stage,
        )


def make_list(chunk: Chunk, context: Context) -> RankingList:
    """The list of a chunk; nothing in it comes from `t_start` or later but labels.

    Candidates come by descending initial score, equal ones by the tie-break.
    """
    user = context.users[chunk.user]
    scores = _initial_scores(chunk, context)
    order = np.lexsort((chunk.candidates["tie"], -scores))
    return RankingList(
        user=_profile(user, chunk.rated_before),
        candidates=_candidates(chunk, scores, order, context),
        history=_history(chunk, context),
        labels=tuple(chunk.labels[order].tolist()),
        request_id=f"{user.id}-{chunk.t_start}-{chunk.number}",
        timestamp=chunk.t_start,
    )


def _initial_scores(chunk: Chunk, context: Context) -> np.ndarray:
    items = [context.items[index].id for index in chunk.candidates["item"]]
    return context.first_stage.score(context.users[chunk.user].id, items)


def _candidates(
    chunk: Chunk, scores: np.ndarray, order: np.ndarray, context: Context
) -> list[dict[str, Value]]:
    rows = chunk.candidates["item"][order]
    found = _items(rows, chunk.t_start, context)
    affinity = context.affinity.as_of(chunk.user, rows, chunk.t_start)
    for item, score, values in zip(
        found, scores[order].tolist(), affinity.tolist(), strict=True
    ):
        item |= {INITIAL_SCORE: score, **dict(zip(Affinity.NAMES, values, strict=True))}
    return found


def _history(chunk: Chunk, context: Context) -> list[dict[str, Value]]:
    found = _items(chunk.history["item"], chunk.t_start, context)
    hours_ago = (chunk.t_start - chunk.history["timestamp"]) / SECONDS_AN_HOUR
    stars = chunk.history["rating"]
    for item, hours, rating in zip(found, hours_ago, stars.tolist(), strict=True):
        item["rating"] = float(rating)
        item["liked"] = float(rating >= LIKE)
        item["log_hours_ago"] = float(np.log1p(hours))
    return found


def _profile(user: User, rated_before: int) -> dict[str, Value]:
    return {
        "user_id": user.id,
        "user_age": user.age,
        "user_gender": user.gender,
        "user_occupation": user.occupation,
        "user_zip_prefix": user.zip_prefix,
        "user_rating_count": float(rated_before),
    }


def _items(rows: np.ndarray, moment: int, context: Context) -> list[dict[str, Value]]:
    """The features that candidates and past items share."""
    statistics = context.statistics.as_of(rows, moment)
    features = []
    for index, (mean, like_rate, log_count) in zip(
        rows, statistics.tolist(), strict=True
    ):
        item = context.items[index]
        features.append(
            {
                ITEM_ID: item.id,
                "genres": VALUE_SEPARATOR.join(item.genres),
                "year": float(item.year),
                "mean_rating": mean,
                "like_rate": like_rate,
                "log_rating_count": log_count,
            }
        )
    return features
