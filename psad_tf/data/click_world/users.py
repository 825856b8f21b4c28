"""A user of the click world: profile, visits, and interests that change with time."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.click_world.chance import stream, unit
from psad_tf.data.click_world.config import BEGIN, DAY
from psad_tf.data.click_world.world import (
    AGES,
    CITY_TIERS,
    DRIFT,
    GENDERS,
    SEGMENTS,
    VISIT_WEIGHT,
    World,
)

_LISTS_A_VISIT = 4.0
_SLOT = DAY // 4
_SECONDS_A_LIST = 300  # at most this long between two lists of a visit
_KEEPS_MIND = 0.5  # how often the last visit's interest is still there
_OWN = 0.6  # the length of what the profile does not tell of a taste
_FOCUS = 3.0  # how much visits turn to categories near the long-term interest


@dataclass(frozen=True)
class User:
    """One user, with what they want at each list.

    Args:
        age: In years.
        gender: Index into `GENDERS`.
        segment: Below `SEGMENTS`.
        city_tier: Below `CITY_TIERS`.
        price: The price level the user likes.
        times: `[lists]` increasing seconds since the epoch.
        long_term: `[lists, dim]` the lasting interest, of length 1.
        current: `[lists, dim]` the interest at the list, this visit's included.
    """

    age: int
    gender: int
    segment: int
    city_tier: int
    price: float
    times: np.ndarray
    long_term: np.ndarray
    current: np.ndarray


def make_user(world: World, number: int) -> User:
    """Draws one user; nothing depends on other users."""
    random = stream(world.config.seed, "user", number)
    group = int(random.choice(len(AGES), p=(0.3, 0.3, 0.25, 0.15)))
    gender = int(random.integers(len(GENDERS)))
    segment = int(random.integers(SEGMENTS))
    city_tier = int(random.choice(CITY_TIERS, p=(0.3, 0.4, 0.3)))
    own = unit(random.normal(size=world.config.dim))
    taste = world.segment_taste[segment] + 0.6 * world.age_taste[group]
    taste = unit(taste + 0.4 * world.gender_taste[gender] + _OWN * own)
    visits, times = _times(world, random)
    long_term = _drifting(taste, visits, DRIFT[city_tier], random)
    passing = _passing(world, long_term, random)
    weight = VISIT_WEIGHT[group]
    current = unit((1 - weight) * long_term + weight * passing)
    lists_of = np.repeat(np.arange(len(visits)), visits)
    return User(
        age=int(random.integers(*AGES[group])),
        gender=gender,
        segment=segment,
        city_tier=city_tier,
        price=float(world.segment_price[segment] + random.normal(0, 0.4)),
        times=times,
        long_term=long_term[lists_of],
        current=current[lists_of],
    )


def _times(world: World, random) -> tuple[np.ndarray, np.ndarray]:
    """`[visits]` how many lists each visit has, and `[lists]` when they begin."""
    config = world.config
    is_new = random.random() < config.new_users
    begin = random.integers(BEGIN, config.end) if is_new else BEGIN
    activity = random.lognormal(-0.18, 0.6)  # mean 1
    share = (config.end - begin) / (config.end - BEGIN)
    mean = config.lists_per_user / _LISTS_A_VISIT * activity * share
    # Visits never overlap: each has a quarter of a day to itself and ends early in it.
    slots = int(config.end - begin) // _SLOT
    count = min(random.poisson(mean), slots)
    chosen = np.sort(random.choice(slots, count, replace=False))
    starts = begin + chosen * _SLOT + random.integers(_SLOT // 2, size=count)
    lists = 1 + random.poisson(_LISTS_A_VISIT - 1, count)
    gaps = random.integers(30, _SECONDS_A_LIST, lists.sum())
    first = np.cumsum(lists) - lists
    gaps[first] = 0
    waited = np.cumsum(gaps)
    times = np.repeat(starts - waited[first], lists) + waited
    return lists, times


def _drifting(taste, visits, drift: float, random) -> np.ndarray:
    """`[visits, dim]` a random walk on the sphere."""
    steps = unit(random.normal(size=(len(visits), len(taste))))
    walk = np.empty_like(steps)
    for visit, step in enumerate(steps):
        taste = unit(np.sqrt(1 - drift**2) * taste + drift * step)
        walk[visit] = taste
    return walk


def _passing(world: World, long_term: np.ndarray, random) -> np.ndarray:
    """`[visits, dim]` what each visit is about: a category, more or less exactly."""
    centers = world.items.centers
    weights = np.exp(_FOCUS * long_term @ centers.T)
    bounds = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    draws = random.random((len(long_term), 1))
    category = (draws > bounds).sum(axis=1).clip(max=len(centers) - 1)
    stray = unit(random.normal(size=long_term.shape))
    about = unit(centers[category] + 0.4 * stray)
    keeps = random.random(len(long_term)) < _KEEPS_MIND
    keeps[:1] = False
    latest = np.maximum.accumulate(np.where(keeps, 0, np.arange(len(long_term))))
    return about[latest]
