"""From a chunk of ratings to a `RankingList`: features as of the moment it began."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.first_stage import FirstStage
from psad_tf.data.log import Item, Log, User
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
        first_stage: Scores user and item pairs; sets the initial order.
    """

    users: tuple[User, ...]
    items: tuple[Item, ...]
    statistics: ItemStatistics
    first_stage: FirstStage

    @classmethod
    def of(cls, log: Log, first_stage: FirstStage) -> "Context":
        return cls(log.users, log.items, ItemStatistics(log.ratings), first_stage)


def make_list(chunk: Chunk, context: Context) -> RankingList:
    """The list of a chunk; nothing in it comes from `t_start` or later but labels.

    Candidates come by descending initial score, equal ones by the tie-break.
    """
    user = context.users[chunk.candidates["user"][0]]
    scores = _initial_scores(chunk, context)
    order = np.lexsort((chunk.candidates["tie"], -scores))
    candidates = _items(chunk.candidates[order], chunk.t_start, context)
    for item, score in zip(candidates, scores[order], strict=True):
        item[INITIAL_SCORE] = float(score)
    history = _items(chunk.history, chunk.t_start, context)
    seconds_ago = chunk.t_start - chunk.history["timestamp"]
    for item, seconds in zip(history, seconds_ago, strict=True):
        item["log_hours_ago"] = float(np.log1p(seconds / SECONDS_AN_HOUR))
    return RankingList(
        user=_profile(user, chunk.rated_before),
        candidates=candidates,
        history=history,
        labels=tuple(chunk.labels[order].tolist()),
        request_id=f"{user.id}-{chunk.t_start}-{chunk.number}",
        timestamp=chunk.t_start,
    )


def _initial_scores(chunk: Chunk, context: Context) -> np.ndarray:
    user = context.users[chunk.candidates["user"][0]].id
    items = [context.items[index].id for index in chunk.candidates["item"]]
    return context.first_stage.score(user, items)


def _profile(user: User, rated_before: int) -> dict[str, Value]:
    return {
        "user_id": user.id,
        "user_age": user.age,
        "user_gender": user.gender,
        "user_occupation": user.occupation,
        "user_zip_prefix": user.zip_prefix,
        "user_rating_count": float(rated_before),
    }


def _items(
    ratings: np.ndarray, moment: int, context: Context
) -> list[dict[str, Value]]:
    """The features that candidates and past items share."""
    statistics = context.statistics.as_of(ratings["item"], moment)
    features = []
    for index, (mean, like_rate, log_count) in zip(
        ratings["item"], statistics.tolist(), strict=True
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
