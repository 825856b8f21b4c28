"""The click world through transform, export and the real server, in small."""

from dataclasses import replace

import numpy as np
import pytest
from fitted_transform import export_tiny, fit_transform

from psad_tf.data.click_world.config import world_config
from psad_tf.data.click_world.lists import ListMaker
from psad_tf.data.click_world.logs import make_log
from psad_tf.data.click_world.statistics import ItemStatistics, daily_counts
from psad_tf.data.click_world.users import make_user
from psad_tf.data.click_world.world import World
from psad_tf.data.examples import encode_list
from psad_tf.feature_sets import CLICK_WORLD
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.served import check_served


@pytest.fixture(scope="module")
def lists():
    """Training lists of a world of 20 users."""
    world = World.make(world_config("fixture", users=20, items=60))
    users = [make_user(world, number) for number in range(20)]
    logs = [make_log(world, user, number) for number, user in enumerate(users)]
    maker = ListMaker(world, ItemStatistics(daily_counts(logs, world.config)))
    return [
        made
        for number, (user, log) in enumerate(zip(users, logs, strict=True))
        for split, made in maker.stored(number, user, log)
        if split == "train"
    ]


@pytest.fixture(scope="module")
def exported(lists, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    output = fit_transform(folder, lists, CLICK_WORLD)
    return export_tiny(output, folder / "model", CLICK_WORLD)


def test_the_true_relevance_is_no_input(lists, exported, tmp_path):
    import tensorflow as tf

    one = lists[0]
    other = replace(one, truth=[{"true_relevance": 9.0} for _ in one.truth])
    encoded = [encode_list(x, CLICK_WORLD) for x in (one, other)]
    assert encoded[0] != encoded[1]
    assert "candidate_true_relevance" not in exported.spec
    raw = tf.io.parse_example(encoded, exported.spec)
    for name, (first, second) in exported.transform(raw).items():
        np.testing.assert_array_equal(first, second, err_msg=name)


def test_the_real_server_answers_as_the_model_does(lists, exported):
    longest = max(lists, key=lambda x: len(x.history))
    chosen = [longest, replace(lists[0], history=[])]
    assert len(longest.history) > 3
    result = check_served(exported.path, chosen, CLICK_WORLD, GateConfig())
    assert result["passed"] is True, result["reason"]
    assert max(result["serving_default"], result["rank"]) <= 1e-4
