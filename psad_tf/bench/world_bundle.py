"""A click world straight to tensors: what the pipeline makes of it, in less time.

The same lists as `psad data build --dataset click-world` makes, without files between:
ids are counted here, not looked up in vocabularies. Numbers are standardised by the
training lists, those of past items by themselves; the pipeline takes the candidates'
scale for both, and cuts outliers. Simulated.
"""

import multiprocessing
import os
from collections.abc import Iterable
from functools import partial

import numpy as np
from tqdm import tqdm

from psad_tf import tensors
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, SPLITS, Bundle
from psad_tf.data.click_world.config import WorldConfig
from psad_tf.data.click_world.items import BRANDS, CATEGORIES
from psad_tf.data.click_world.lists import fates, past_clicks
from psad_tf.data.click_world.logs import UserLog, make_log
from psad_tf.data.click_world.statistics import ItemStatistics, daily_counts
from psad_tf.data.click_world.users import User, make_user
from psad_tf.data.click_world.world import (
    AGES,
    CITY_TIERS,
    GENDERS,
    SEGMENTS,
    World,
)
from psad_tf.feature_sets.click_world import CLICK_WORLD
from psad_tf.sizing import text_fields

_COUNT_BOUNDARIES = next(
    f.boundaries for f in CLICK_WORLD.user if f.name == "user_list_count"
)
_MIN_COUNT = next(f.min_count for f in CLICK_WORLD.item if f.name == "item_id")
_AGE_ENDS = [end for _, end in AGES[:-1]]
_CHUNK = 100  # users a task


def world_bundle(
    config: WorldConfig, most_test_lists: int = 10_000, processes: int | None = None
) -> Bundle:
    """Simulates a world and makes its lists' tensors.

    Args:
        config: The world.
        most_test_lists: The first ones by time are kept; so many validation lists too.
        processes: To simulate with; None is one a core.
    """
    world = World.make(config)
    processes = processes or os.cpu_count()
    chunks = [
        range(first, min(first + _CHUNK, config.users))
        for first in range(0, config.users, _CHUNK)
    ]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        simulated = pool.imap(partial(_simulate, world), chunks)
        logs = [pair for part in tqdm(simulated, total=len(chunks)) for pair in part]
    counts = sum(daily_counts([log], config) for _, log in logs)
    splits = _splits(world, logs, ItemStatistics(counts), most_test_lists)
    sizes, splits = _with_ids(world, splits)
    _standardise(splits)
    vectors = world.click_vectors(np.arange(config.items)).astype(np.float32)
    name = (
        "click_world"
        if config.list_length == 20
        else f"click_world_{config.list_length}"
    )
    return Bundle(name, sizes, splits, vectors, config.eta)


def _simulate(world: World, users: Iterable[int]) -> list[tuple[User, UserLog]]:
    found = []
    for number in users:
        user = make_user(world, number)
        found.append((user, make_log(world, user, number)))
    return found


def _splits(world, logs, statistics, most: int) -> dict[str, dict[str, np.ndarray]]:
    """Split to column to array; items still as indices, -1 for none."""
    rows = {split: [] for split in SPLITS}
    for number, (user, log) in enumerate(logs):
        past = past_clicks(log, world.config.history_length)
        for row, split in enumerate(fates(log, world)):
            if split in rows:
                rows[split].append((log.times[row], number, row, user, log, past[row]))
    return {
        split: _columns(
            world, sorted(found, key=lambda r: r[:3])[: _limit(split, most)], statistics
        )
        for split, found in rows.items()
    }


def _limit(split: str, most: int) -> int | None:
    return None if split == "train" else most


def _columns(world, rows, statistics) -> dict[str, np.ndarray]:
    config = world.config
    count, length, past_length = len(rows), config.list_length, config.history_length
    items = np.zeros((count, length), np.int32)
    past = np.full((count, past_length), -1, np.int32)
    dense = np.zeros((count, length, 5), np.float32)
    past_dense = np.zeros((count, past_length, 5), np.float32)
    label, relevance = np.zeros((2, count, length), np.float32)
    users = np.zeros((count, 6), np.int32)
    for i, (time, number, row, user, log, clicks) in enumerate(rows):
        items[i], label[i], relevance[i] = (
            log.items[row],
            log.clicks[row],
            log.relevance[row],
        )
        dense[i] = _numbers(world, statistics, log.items[row], time, log.scores[row])
        known = len(clicks.items)
        past[i, :known] = clicks.items
        hours = np.log1p((time - clicks.times) / 3600)
        past_dense[i, :known] = _numbers(world, statistics, clicks.items, time, hours)
        bucket = np.searchsorted(_COUNT_BOUNDARIES, row, side="right")
        age = np.searchsorted(_AGE_ENDS, user.age, side="right")
        users[i] = number, age, user.gender, user.segment, user.city_tier, bucket
    return {
        tensors.USER_IDS: users,
        tensors.CANDIDATE_IDS: items,
        tensors.CANDIDATE_DENSE: dense,
        tensors.CANDIDATE_IS_VALID: np.ones(items.shape, bool),
        tensors.HISTORY_IDS: past,
        tensors.HISTORY_DENSE: past_dense,
        tensors.HISTORY_IS_VALID: past >= 0,
        tensors.LABEL: label,
        RELEVANCE: relevance,
        ITEM_INDEX: items,
    }


def _numbers(world, statistics, items, time, last) -> np.ndarray:
    """`[n, 5]` the numeric features of items, the candidate's or the history's last."""
    table = world.items
    rates = statistics.as_of(items, int(time))
    return np.column_stack(
        [table.log_price[items], table.price_level[items], rates, last]
    )


def _with_ids(world, splits) -> tuple[dict, dict]:
    """Replaces indices by ids; what the training lists do not know is unknown."""
    train, config = splits["train"], world.config
    shown = np.concatenate(
        [train[tensors.CANDIDATE_IDS].ravel(), train[tensors.HISTORY_IDS].ravel()]
    )
    often = np.bincount(shown[shown >= 0], minlength=config.items) >= _MIN_COUNT
    seen = np.zeros(config.users, bool)
    seen[train[tensors.USER_IDS][:, 0]] = True
    item_sizes = (config.items, CATEGORIES, BRANDS)
    user_sizes = (
        config.users,
        len(AGES),
        len(GENDERS),
        SEGMENTS,
        CITY_TIERS,
        len(_COUNT_BOUNDARIES) + 1,
    )
    item_unknown, item_rows = _spaces(item_sizes)
    user_unknown, user_rows = _spaces(user_sizes)
    of_item = np.column_stack(
        [
            np.where(
                often, item_unknown[0] + 1 + np.arange(config.items), item_unknown[0]
            ),
            item_unknown[1] + 1 + world.items.category,
            item_unknown[2] + 1 + world.items.brand,
        ]
    )
    of_item = np.vstack([of_item, np.zeros((1, 3), int)])  # the last one for index -1
    for columns in splits.values():
        for name in (tensors.CANDIDATE_IDS, tensors.HISTORY_IDS):
            columns[name] = of_item[columns[name]]
        users = columns[tensors.USER_IDS]
        ids = users + np.array(user_unknown) + 1
        ids[:, 0] = np.where(seen[users[:, 0]], ids[:, 0], user_unknown[0])
        columns[tensors.USER_IDS] = ids
    sizes = {
        "item_rows": item_rows,
        "item_widths": [1, 1, 1],
        "item_unknown_ids": item_unknown,
        "user_rows": user_rows,
        "user_widths": [1] * 6,
        "user_unknown_ids": user_unknown,
        "user_id_dropout_fields": list(text_fields(CLICK_WORLD.user)),
        "candidate_dense_size": 5,
        "history_dense_size": 5,
        "list_length": config.list_length,
        "history_length": config.history_length,
    }
    return sizes, splits


def _spaces(field_sizes) -> tuple[list[int], int]:
    """Each field's unknown id, its values right behind it, and how many ids in all."""
    unknown, rows = [], 1  # id 0 is padding
    for size in field_sizes:
        unknown.append(rows)
        rows += size + 1
    return unknown, rows


def _standardise(splits) -> None:
    """To mean 0 and variance 1 over the training lists; 0 on padding."""
    for name, is_valid in (
        (tensors.CANDIDATE_DENSE, tensors.CANDIDATE_IS_VALID),
        (tensors.HISTORY_DENSE, tensors.HISTORY_IS_VALID),
    ):
        known = splits["train"][name][splits["train"][is_valid]]
        mean, deviation = known.mean(axis=0), known.std(axis=0)
        for columns in splits.values():
            scaled = (columns[name] - mean) / np.where(deviation > 0, deviation, 1)
            columns[name] = (scaled * columns[is_valid][..., None]).astype(np.float32)
