"""What a user was shown and clicked: the first stage, the logged order, the clicks."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.click_world import clicks as click_model
from psad_tf.data.click_world.chance import stream, unit
from psad_tf.data.click_world.users import User
from psad_tf.data.click_world.world import World

# Where candidates come from: popular items, items near the interest, any items.
_MIXTURE = (0.25, 0.6, 0.15)
_NEAR = 1 / 15  # the share of all items that count as near to an interest
_DRAWS = 3  # candidates drawn for each place, since many are drawn twice


@dataclass(frozen=True)
class UserLog:
    """All lists of one user, oldest first, in the order they were shown.

    Args:
        times: `[lists]` seconds since the epoch.
        items: `[lists, list]` indices of the candidates.
        scores: `[lists, list]` of the first stage.
        relevance: `[lists, list]` the truth: the probability of a click once examined.
        clicks: `[lists, list]` bool, what was clicked.
        explored: `[lists]` bool, True where the order was drawn at random; the others
            come by descending score.
    """

    times: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    relevance: np.ndarray
    clicks: np.ndarray
    explored: np.ndarray


def make_log(world: World, user: User, number: int) -> UserLog:
    """Shows a user their lists and draws the clicks.

    Args:
        world: The world.
        user: The user that `make_user` gives for the number.
        number: The user's number.
    """
    config = world.config
    random = stream(config.seed, "log", number)
    believed = _believed(user, config.score_user_error, random)
    items = _candidates(world, user.times, believed, random)
    scores = _scores(world, items, believed, random)
    explored = random.random(len(items)) < config.explored
    key = np.where(explored[:, None], random.random(scores.shape), -scores)
    order = np.argsort(key, axis=1)
    items = np.take_along_axis(items, order, axis=1)
    relevance = world.relevance(items, user.current, user.price)
    everywhere = np.ones(items.shape, bool)
    vectors = world.click_vectors(items)
    return UserLog(
        times=user.times,
        items=items,
        scores=np.take_along_axis(scores, order, axis=1),
        relevance=relevance,
        clicks=click_model.sample(relevance, vectors, everywhere, config.eta, random),
        explored=explored,
    )


def _believed(user: User, error: float, random) -> np.ndarray:
    """`[lists, dim]` interest as the first stage knows it: not exact, no visit's."""
    return unit(
        user.long_term + error * unit(random.normal(size=user.long_term.shape[-1]))
    )


def _scores(world: World, items, believed, random) -> np.ndarray:
    """`[lists, list]` the relevance logit as the first stage estimates it."""
    config, table = world.config, world.items
    scores = (
        config.base
        + config.interest_weight * (table.vector[items] @ believed[..., None])[..., 0]
    )
    relative = np.log(table.popularity[items] * len(table))
    scores += config.score_popularity * relative + table.score_error[items]
    return scores + random.normal(0.0, config.score_noise, items.shape)


def _candidates(world: World, times, believed, random) -> np.ndarray:
    """`[lists, list]` distinct items, each already released."""
    table, length = world.items, world.config.list_length
    if len(times) == 0:
        return np.zeros((0, length), int)
    drawn = _DRAWS * length
    shape = len(times), drawn
    # What the first stage took for the interest when it last looked: at the start.
    near_count = max(2 * length, round(_NEAR * len(table)))
    far_first = np.argpartition(table.vector @ believed[0], -near_count)
    nearest = np.sort(far_first[-near_count:])
    popular = np.searchsorted(table.demand, random.random(shape) * table.demand[-1])
    near = nearest[random.integers(len(nearest), size=shape)]
    anything = random.integers(len(table), size=shape)
    source = random.choice(3, size=shape, p=_MIXTURE)
    items = np.choose(source, (popular, near, anything))
    rows = zip(items, times, strict=True)
    return np.array([_distinct(row, table.release, time, length) for row, time in rows])


def _distinct(drawn, release, time: int, length: int) -> list[int]:
    """The first `length` different released items, filled up by index if need be."""
    items = dict.fromkeys(drawn[release[drawn] <= time].tolist())
    if len(items) < length:
        items |= dict.fromkeys(np.flatnonzero(release <= time).tolist())
    return list(items)[:length]
