"""Trains the first stage in a process of its own and keeps its vectors.

TensorFlow Recommenders needs Keras 2 (`TF_USE_LEGACY_KERAS=1`), everything else here
Keras 3; one process can hold only one of them, so the two exchange `.npz` files.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from psad_tf.data.errors import DataError
from psad_tf.data.log import Item, Log, User
from psad_tf.feature_sets import MOVIELENS_100K

_BOUNDARIES = {f.name: f.boundaries for f in MOVIELENS_100K.user + MOVIELENS_100K.item}
_REMEDY = "install the extra that brings it: pip install 'psad-tf[first-stage]'"


def train_first_stage(log: Log, before: int, towers: Path, seed: int) -> None:
    """Trains on the ratings before a moment and writes the vectors of everybody.

    Args:
        log: Users and items get vectors even if they appear later only: by their
            features and the unknown id's embedding.
        before: Seconds since the epoch; ratings from then on are not seen.
        towers: The `.npz` file to write; see `FirstStage`.
        seed: Of initial values and of the order of training.

    Raises:
        DataError: Nothing was rated before the moment, or the training failed.
    """
    ratings = log.ratings[log.ratings["timestamp"] < before]
    if len(ratings) == 0:
        raise DataError(f"no rating is older than {before}; give a longer log")
    with tempfile.TemporaryDirectory() as folder:
        inputs, vectors = Path(folder, "inputs.npz"), Path(folder, "vectors.npz")
        np.savez(inputs, **training_inputs(log, ratings))
        _run_trainer(inputs, vectors, seed)
        with np.load(vectors) as file:
            np.savez(
                towers,
                user_ids=np.array([user.id for user in log.users]),
                item_ids=np.array([item.id for item in log.items]),
                **file,
            )


def _run_trainer(inputs: Path, vectors: Path, seed: int) -> None:
    command = [sys.executable, "-m", "psad_tf.data.first_stage_trainer"]
    command += [str(inputs), str(vectors), "--seed", str(seed)]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    environment["CUDA_VISIBLE_DEVICES"] = ""  # small, and the CPU's sums repeat
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        is_missing = "No module named 'tensorflow_recommenders'" in done.stderr
        remedy = _REMEDY if is_missing else "see the trace above for the cause"
        raise DataError(
            f"training the first stage ended with status {done.returncode}:\n"
            f"{done.stderr[-4000:]}\n{remedy}"
        )


def training_inputs(log: Log, ratings: np.ndarray) -> dict[str, np.ndarray]:
    """Users, items and ratings as arrays of integers.

    Values that no rated pair has seen are 0, the unknown one; so nothing of a later
    user or item is in the vocabularies.

    Returns:
        `user_features` `[users, 5]` and `item_features` `[items, 2]` ids,
        `user_sizes` `[5]` and `item_sizes` `[2]` of their vocabularies,
        `item_genres` `[items, genres]` of 0 and 1, and of each rating `user`, `item`
        (indices) and `rating`.
    """
    user_seen, item_seen = np.unique(ratings["user"]), np.unique(ratings["item"])
    user_ids = _ids([_user_values(user) for user in log.users], user_seen)
    item_ids = _ids([_item_values(item) for item in log.items], item_seen)
    genres = sorted({genre for row in item_seen for genre in log.items[row].genres})
    return {
        "user_features": user_ids,
        "user_sizes": user_ids.max(axis=0) + 1,
        "item_features": item_ids,
        "item_sizes": item_ids.max(axis=0) + 1,
        "item_genres": np.array(
            [[genre in item.genres for genre in genres] for item in log.items],
            np.float32,
        ),
        "user": ratings["user"],
        "item": ratings["item"],
        "rating": ratings["rating"].astype(np.float32),
    }


def _user_values(user: User) -> tuple:
    age = np.searchsorted(_BOUNDARIES["user_age"], user.age, side="right")
    return user.id, int(age), user.gender, user.occupation, user.zip_prefix


def _item_values(item: Item) -> tuple:
    year = np.searchsorted(_BOUNDARIES["year"], item.year, side="right")
    return item.id, int(year)


def _ids(rows: list[tuple], seen: Iterable[int]) -> np.ndarray:
    """Each column's values as ids from 1 among the seen rows; 0 for the others."""
    columns = []
    for column in zip(*rows, strict=True):
        vocabulary = {v: n for n, v in enumerate(sorted({column[r] for r in seen}), 1)}
        columns.append([vocabulary.get(value, 0) for value in column])
    return np.array(columns, np.int32).T
