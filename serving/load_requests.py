"""Requests for a load test: lists drawn at random, or those of a file."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from psad_tf.data.ranking_list import RankingList
from psad_tf.errors import InputError
from psad_tf.features import Feature, FeatureSet
from serving.predict_request import predict_request
from serving.rerank_command import read_request

_VALUES = 1000  # different ones of a text feature


def drawn_lists(
    features: FeatureSet, count: int, candidates: int, history: int, seed: int = 0
) -> list[RankingList]:
    """Lists of one size; their values are drawn, so that most are unknown to a model.

    A model takes the same time for known and unknown values.

    Args:
        features: What a list holds.
        count: Lists.
        candidates, history: Items of each.
        seed: Of the draws.

    Raises:
        InputError: The model could not take lists of this size.
    """
    for name, size, least, most in (
        ("candidates", candidates, 1, features.list_length),
        ("history", history, 0, features.history_length),
    ):
        if not least <= size <= most:
            raise InputError(
                f"--{name}={size}: {features.name} has {least} to {most} of them"
            )
    random = np.random.default_rng(seed)

    def item(columns: Sequence[Feature]):
        return {f.name: _drawn(f, random) for f in columns}

    def items(columns, number):
        return [item(columns) for _ in range(number)]

    return [
        RankingList(
            item(features.user),
            items(features.of_candidates(), candidates),
            items(features.of_history(), history),
        )
        for _ in range(count)
    ]


def _drawn(feature: Feature, random: np.random.Generator) -> str | float:
    if feature.kind.is_text:
        return f"v{random.integers(_VALUES)}"
    return float(random.normal())


def lists_of_file(path: Path) -> list[RankingList]:
    """Lists from a file with one JSON request a line, as `psad rerank` takes them.

    Raises:
        InputError: There is no such file, it is empty, or a line is no request.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"--requests={path}: {error.strerror}; give a file") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(read_request(line))
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
    if not found:
        raise InputError(f"--requests={path} is empty; give one request a line")
    return found


def requests_of(
    lists: Sequence[RankingList],
    features: FeatureSet,
    model_name: str,
    signature: str,
    size: int,
    count: int,
) -> list[bytes]:
    """Serialized Predict requests of `size` lists each, the lists taken in turn.

    Raises:
        DataError: A list is not what the feature set asks for.
    """
    taken = itertools.cycle(lists)
    return [
        predict_request(
            list(itertools.islice(taken, size)), features, model_name, signature
        ).SerializeToString()
        for _ in range(count)
    ]
