"""The first stage: scores by hand, and inputs that know nothing of the future."""

import numpy as np
import pytest
from raw_logs import rating_array

from psad_tf.data import first_stage_process
from psad_tf.data.errors import DataError
from psad_tf.data.first_stage import FirstStage
from psad_tf.data.first_stage_process import train_first_stage, training_inputs
from psad_tf.data.log import Item, Log, User, in_time_order

USERS = (
    User("1", 24.0, "M", "writer", "8"),
    User("2", 53.0, "F", "other", "9"),
    User("3", 17.0, "F", "student", "0"),  # rates late only
)
ITEMS = (
    Item("1", "A", ("Crime", "War"), 1995),
    Item("2", "B", ("Drama",), 1930),
    Item("3", "C", ("Horror",), 0),  # rated late only
)
EARLY = [(0, 0, 5, 10), (0, 1, 3, 20), (1, 1, 2, 30)]
LATE = [(2, 2, 4, 100), (0, 2, 1, 110)]


def _log(rows) -> Log:
    return Log(in_time_order(rating_array(rows)), USERS, ITEMS, {})


def _inputs(rows, before=100):
    log = _log(rows)
    return training_inputs(log, log.ratings[log.ratings["timestamp"] < before])


def test_scores_by_hand(tmp_path):
    path = tmp_path / "towers.npz"
    np.savez(
        path,
        user_ids=np.array(["a", "b"]),
        item_ids=np.array(["x", "y"]),
        user_vectors=np.array([[1.0, 2.0], [0.0, -1.0]], np.float32),
        item_vectors=np.array([[3.0, 4.0], [5.0, 0.5]], np.float32),
        item_bias=np.array([0.25, -1.0], np.float32),
    )
    first_stage = FirstStage.load(path)
    # a·y - 1 = 5 + 1 - 1, a·x + 0.25 = 3 + 8 + 0.25.
    assert first_stage.score("a", ["y", "x"]).tolist() == [5.0, 11.25]
    assert first_stage.score("b", ["x"]).tolist() == [-3.75]


def test_no_towers_is_an_error(tmp_path):
    with pytest.raises(DataError, match="towers.npz holds no vectors .*prepare"):
        FirstStage.load(tmp_path / "towers.npz")
    np.savez(tmp_path / "towers.npz", user_ids=np.array(["a"]))
    with pytest.raises(DataError, match="towers.npz holds no vectors .*prepare"):
        FirstStage.load(tmp_path / "towers.npz")


def test_inputs_by_hand():
    inputs = _inputs(EARLY + LATE)
    # Ids from 1 in sorted order among the seen; user 3 and item 3 are all unknown,
    # but for what they share with the seen: user 3 is a woman like user 2.
    assert inputs["user_features"].tolist() == [
        [1, 1, 2, 2, 1],
        [2, 2, 1, 1, 2],
        [0, 0, 1, 0, 0],
    ]
    assert inputs["user_sizes"].tolist() == [3, 3, 3, 3, 3]
    assert inputs["item_features"].tolist() == [[1, 2], [2, 1], [0, 0]]
    assert inputs["item_genres"].tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert inputs["user"].tolist() == [0, 0, 1]
    assert inputs["rating"].tolist() == [5.0, 3.0, 2.0]


def test_later_ratings_change_no_input():
    """All that training sees is here, and it is seeded: so they change no score."""
    one = _inputs(EARLY + LATE)
    changed = [(user, item, 6 - rating, time) for user, item, rating, time in LATE]
    for rows in (EARLY, EARLY + changed, LATE[::-1] + EARLY):
        other = _inputs(rows)
        assert other.keys() == one.keys()
        for name, array in one.items():
            np.testing.assert_array_equal(other[name], array)


def test_nothing_to_train_on_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no rating is older than 10; give a longer"):
        train_first_stage(_log(EARLY), 10, tmp_path / "towers.npz", seed=0)
    assert not any(tmp_path.iterdir())


def test_failed_training_shows_its_cause(tmp_path, monkeypatch):
    monkeypatch.setattr(first_stage_process, "training_inputs", lambda *_: {})
    with pytest.raises(DataError, match="(?s)status 1:.*KeyError.*user"):
        train_first_stage(_log(EARLY), 100, tmp_path / "towers.npz", seed=0)
    assert not any(tmp_path.iterdir())


def test_training_repeats_and_learns(tmp_path):
    """Everybody likes item 1 and nobody item 2; the same seed gives the same bits."""
    rows = [(user, item, 5 - 3 * item, 10) for user in (0, 1) for item in (0, 1)] * 300
    towers = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path in towers:
        train_first_stage(_log(rows + LATE), 100, path, seed=3)
    one, other = (dict(np.load(path)) for path in towers)
    for name, array in one.items():
        np.testing.assert_array_equal(other[name], array)
    assert one["user_vectors"].shape[0] == 3 and one["item_bias"].shape == (3,)
    for user in ("1", "2", "3"):
        liked, disliked = FirstStage.load(towers[0]).score(user, ["1", "2"])
        assert liked - disliked > 0.5
