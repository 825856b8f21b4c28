"""Worlds, users and logs: the same for a seed, and what they are meant to be."""

import dataclasses

import numpy as np
import pytest
from small_world import small_world

from psad_tf.data.click_world.clicks import utility, utility_of_order
from psad_tf.data.click_world.config import BEGIN, DAY, WorldConfig, world_config
from psad_tf.data.click_world.logs import make_log
from psad_tf.data.click_world.users import make_user
from psad_tf.data.click_world.world import World
from psad_tf.data.errors import DataError
from psad_tf.errors import ConfigError


def columns(*names):
    """Columns of all logs of the fixture world, one below the other."""
    _, _, logs = small_world()
    return [np.concatenate([getattr(log, n) for log in logs]) for n in names]


def same(one, other):
    names = [field.name for field in dataclasses.fields(one)]
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def test_a_seed_gives_the_same_world_and_another_seed_another():
    config = world_config("fixture", seed=3)
    one, other = World.make(config), World.make(config)
    assert same(one.items, other.items)
    user = make_user(one, 7)
    assert same(user, make_user(other, 7))
    assert same(make_log(one, user, 7), make_log(other, user, 7))
    stranger = World.make(world_config("fixture", seed=4))
    assert not same(one.items, stranger.items)
    assert not same(user, make_user(stranger, 7))


def test_a_user_is_the_same_whoever_else_there_is():
    """So users can be made in any order, by any worker."""
    world, users, logs = small_world()
    more = World.make(dataclasses.replace(world.config, users=10**6))
    assert same(make_user(more, 11), users[11])
    assert same(make_log(more, users[11], 11), logs[11])


def test_a_world_is_read_back_as_it_was_written(tmp_path):
    world, users, logs = small_world()
    world.save(tmp_path)
    again = World.load(tmp_path)
    assert again.config == world.config
    assert same(again.items, world.items)
    assert same(make_log(again, make_user(again, 5), 5), logs[5])
    (tmp_path / "items.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="items.npz holds no items.*build"):
        World.load(tmp_path)
    (tmp_path / "world.json").write_text('{"planets": 9}')
    with pytest.raises(DataError, match="world.json holds no click world.*planets"):
        World.load(tmp_path)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"users": 0}, "users=0; give 1 or more"),
        ({"items": 30}, "items=30; give more items"),
        ({"explored": 1.5}, "explored=1.5; give a share"),
        ({"burn_in_days": 60}, r"burn_in_days=60; give 1 to 59"),
        ({"train_share": 0.95}, "train_share=0.95; leave a test"),
        ({"vector_length": 3.0}, "vector_length=3.0; give 0 to 2"),
        ({"eta": -1.0}, "eta=-1.0; give 0 or more"),
    ],
)
def test_an_impossible_world_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        WorldConfig(**changes)


def test_sizes_are_named():
    with pytest.raises(ConfigError, match="'huge' is unknown.*fixture, study, large"):
        world_config("huge")
    # Two in three lists of the second half of the time: about 60,000.
    study = world_config("study")
    assert 110_000 < study.users * study.lists_per_user * 0.55 < 115_000


def test_relevance_by_hand():
    world, _, _ = small_world()
    config, items = world.config, world.items
    logit = config.base + config.interest_weight * items.vector[4] @ items.vector[9]
    logit -= config.price_weight * (items.price_level[4] - 0.5) ** 2
    logit += config.quality_weight * items.quality[4]
    found = world.relevance(np.array([4]), items.vector[9], 0.5)
    assert found == pytest.approx([1 / (1 + np.exp(-logit))])


def test_visits_do_not_overlap_and_stay_in_the_world():
    world, users, _ = small_world()
    for user in users:
        assert (np.diff(user.times) > 0).all()
        if len(user.times):
            assert BEGIN <= user.times[0] and user.times[-1] < world.config.end
            gaps = np.diff(user.times)
            assert ((gaps < 300) | (gaps > 3600)).all()


def test_lists_are_of_distinct_items_that_exist_by_then():
    world, _, _ = small_world()
    items, times = columns("items", "times")
    assert all(len(set(row)) == 20 for row in items.tolist())
    assert (world.items.release[items] <= times[:, None]).all()
    assert (world.items.release > BEGIN).sum() == 20  # one in ten


def test_a_small_catalogue_still_fills_its_lists():
    world = World.make(WorldConfig(items=40, users=5, new_items=0.5))
    for number in range(5):
        log = make_log(world, make_user(world, number), number)
        assert all(len(set(row)) == 20 for row in log.items.tolist())


def test_lists_are_shown_by_score_but_for_the_explored():
    scores, explored = columns("scores", "explored")
    falling = (np.diff(scores, axis=1) <= 0).all(axis=1)
    assert (falling != explored).all()
    assert explored.mean() == pytest.approx(0.1, abs=0.03)


def test_relevance_is_that_of_the_items_shown():
    world, users, logs = small_world()
    for user, log in zip(users[:20], logs[:20], strict=True):
        expected = world.relevance(log.items, user.current, user.price)
        np.testing.assert_array_equal(log.relevance, expected)


def test_the_fixture_is_calibrated():
    """Some clicks in nearly every list, more at its top, and room above the log."""
    world, _, _ = small_world()
    items, relevance, clicks = columns("items", "relevance", "clicks")
    assert 3.2 < clicks.sum(axis=1).mean() < 4.6
    assert (clicks.sum(axis=1) == 0).mean() < 0.05
    by_place = clicks.mean(axis=0)
    assert by_place[0] > 2 * by_place[4] > 2 * by_place[15]
    is_valid, eta = np.ones(items.shape, bool), world.config.eta
    lists = relevance, world.click_vectors(items), is_valid, eta
    logged = utility(*lists)
    best_first = utility_of_order(*lists, np.argsort(-relevance, axis=1))
    assert logged.mean() == pytest.approx(clicks.sum(axis=1).mean(), rel=0.05)
    assert best_first.mean() > 1.05 * logged.mean()


def test_late_clicks_tell_more_of_the_moment_than_old_ones():
    """By how much liker to each other a user's clicks of an hour are than others."""
    world, users, logs = small_world(users=400)

    def mean_gain(is_young):
        gains = []
        for user, log in zip(users, logs, strict=True):
            rows, places = np.nonzero(log.clicks)
            vectors = world.items.vector[log.items[rows, places]]
            likeness, times = vectors @ vectors.T, log.times[rows]
            gap = np.abs(times[:, None] - times)
            near, far = (gap > 0) & (gap < DAY / 24), gap > 5 * DAY
            if (user.age < 35) == is_young and near.any() and far.any():
                gains.append(likeness[near].mean() - likeness[far].mean())
        return np.mean(gains)

    young, old = mean_gain(True), mean_gain(False)
    assert young > old + 0.015 and young > 0.02
