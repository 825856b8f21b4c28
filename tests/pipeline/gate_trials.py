"""Models of known worth on lists of the click world: the truth under noise.

A score is the logit of the true relevance plus noise. Part of the noise is the list's
own and the same for all models, as two trainings on the same logs err alike.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from psad_tf import metrics
from psad_tf.data.click_world.config import world_config
from psad_tf.data.click_world.lists import fates
from psad_tf.data.click_world.logs import make_log
from psad_tf.data.click_world.users import make_user
from psad_tf.data.click_world.world import World
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.decision import Facts, decide
from tfx_pipeline.gate.values import list_values

USERS = 1000
LISTS = 3000  # of a trial
GATE = GateConfig(resamples=1000)
# Of the noise's variance, what all models have in common.
SHARED = 0.8


@dataclass(frozen=True)
class Lists:
    """Lists of a trial: labels, logits of the true relevance, and groups."""

    labels: np.ndarray
    truth: np.ndarray
    groups: dict


@cache
def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clicks and true relevance of every list, and how many its user saw before."""
    made = World.make(world_config("fixture", users=USERS, items=400))
    clicks, relevance, before = [], [], []
    for number in range(USERS):
        log = make_log(made, make_user(made, number), number)
        for row, fate in enumerate(fates(log, made)):
            if fate in ("train", "validation", "test"):
                clicks.append(log.clicks[row])
                relevance.append(log.relevance[row])
                before.append(row)
    return np.array(clicks, float), np.array(relevance), np.array(before)


def draw(seed: int, size: int = LISTS) -> Lists:
    """Lists of one trial."""
    clicks, relevance, before = world()
    chosen = np.random.default_rng(seed).choice(len(clicks), size, replace=False)
    seen = before[chosen]
    groups = {
        ("user_activity", "0"): seen < 1,
        ("user_activity", "1-14"): (seen >= 1) & (seen < 15),
        ("user_activity", "15+"): seen >= 15,
    }
    share = relevance[chosen]
    return Lists(clicks[chosen], np.log(share / (1 - share)), groups)


def noise(lists: Lists, seed: int, model: int) -> np.ndarray:
    """A model's error on each candidate, of variance 1."""
    shape = lists.truth.shape
    common = np.random.default_rng([seed, 0]).normal(size=shape)
    own = np.random.default_rng([seed, model]).normal(size=shape)
    return np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own


def scores(lists: Lists, strength: float, seed: int, model: int) -> np.ndarray:
    """Scores of a model that errs by so much."""
    return lists.truth + strength * noise(lists, seed, model)


def ndcg(lists: Lists, found: np.ndarray) -> float:
    everywhere = np.ones(found.shape, bool)
    return float(metrics.ndcg(lists.labels, found, everywhere, 10).mean())


@cache
def strengths(gain: float = 0.01, blessed: float = 2.0) -> tuple[float, float]:
    """How strongly the better model errs and the blessed one, by NDCG@10 over all."""
    lists = draw(10_000, len(world()[0]))
    target = ndcg(lists, scores(lists, blessed, 10_000, 1)) + gain
    low, high = 0.0, blessed
    for _ in range(20):
        middle = (low + high) / 2
        worse = ndcg(lists, scores(lists, middle, 10_000, 2)) < target
        low, high = (low, middle) if worse else (middle, high)
    return low, blessed


def judged(lists: Lists, candidate: np.ndarray, blessed=None, gate=GATE, **facts):
    """The checks of a candidate, by (name, group)."""
    is_valid = np.ones(lists.labels.shape, bool)
    values = list_values(lists.labels, is_valid, candidate, blessed, lists.groups)
    return decide(values, Facts(not_calibrated="there is no loss", **facts), gate)
