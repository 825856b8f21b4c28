"""Proves that the real server answers right with this model, before it is pushed."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model
from tfx.utils import path_utils

from psad_tf.data.examples import decode_list, encode_list
from psad_tf.data.ranking_list import RankingList, Value
from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet
from serving.client import RerankClient
from serving.errors import RerankError
from serving.launch import running_server

RESULT_FILE = "serving_check.json"
SIGNATURES = ("serving_default", "rank")


@component
def ServingCheck(
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    infra_blessing: OutputArtifact[InfraBlessing],
    dataset: Parameter[str],
    lists: Parameter[int],
    tolerance: Parameter[float],
):
    """Starts the model server on the candidate model and sends it test lists.

    Blesses the model when every signature answers every list, in every score within
    `tolerance` of the same model in this process.
    """
    features = feature_set(dataset)
    folder = artifact_utils.get_split_uri([examples], "test")
    chosen = sample_lists(folder, features, lists)
    path = Path(path_utils.serving_model_path(model.uri))
    result = check_served(path, chosen, features, tolerance)
    logging.info("Serving check: %s", result)
    folder = Path(infra_blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT_FILE).write_text(json.dumps(result, indent=1))
    blessed = result["passed"]
    (folder / ("INFRA_BLESSED" if blessed else "INFRA_NOT_BLESSED")).write_text("")
    infra_blessing.set_int_custom_property("blessed", int(blessed))


def sample_lists(folder: str, features: FeatureSet, n: int) -> list[RankingList]:
    """`n` lists evenly spaced over a split, the longest and the shortest cut of one.

    The last two are the worst cases: as many candidates and past items as the model
    takes, and one candidate without any history.
    """
    files = sorted(str(p) for p in Path(folder).iterdir())
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    chosen = np.linspace(0, len(records) - 1, min(n, len(records)), dtype=int)
    lists = [decode_list(records[i], features) for i in chosen]
    fullest = max(lists, key=lambda x: (len(x.candidates), len(x.history)))
    past = list(fullest.history) or [_as_past(fullest.candidates[0], features)]
    return [
        *lists,
        RankingList(
            fullest.user,
            _repeat(fullest.candidates, features.list_length),
            _repeat(past, features.history_length),
        ),
        RankingList(fullest.user, fullest.candidates[:1]),
    ]


def _as_past(candidate: Mapping[str, Value], features: FeatureSet) -> dict[str, Value]:
    """A candidate as a past item; what is known of past items alone is empty."""
    empty = {f.name: "" if f.kind.is_text else 0.0 for f in features.of_history()}
    return {name: candidate.get(name, value) for name, value in empty.items()}


def _repeat(items, n: int) -> list:
    return [items[i % len(items)] for i in range(n)]


def check_served(
    model: Path, lists: list[RankingList], features: FeatureSet, tolerance: float
) -> dict:
    """Scores lists on a server and in this process.

    Returns:
        Whether it passed, the reason if not, and the largest difference of a score for
        each signature.
    """
    result = {"lists": len(lists), "tolerance": tolerance, "passed": False}
    expected = _in_process(model, lists, features)
    with tempfile.TemporaryDirectory() as store:
        shutil.copytree(model, Path(store) / "1")
        try:
            with running_server(store, features=features) as target:
                for signature in SIGNATURES:
                    result[signature] = _largest_difference(
                        target, signature, lists, features, expected
                    )
        except (RerankError, RuntimeError) as error:
            return result | {"reason": str(error)}
    worst = max(result[s] for s in SIGNATURES)
    if not worst <= tolerance:
        reason = f"a served score differs by {worst:g}, more than {tolerance:g}"
        return result | {"reason": reason}
    return result | {"passed": True, "reason": "every answer agrees"}


def _in_process(model: Path, lists, features: FeatureSet) -> list[np.ndarray]:
    loaded = tf.saved_model.load(str(model))
    score = loaded.signatures["serving_default"]
    encoded = tf.constant([encode_list(x, features) for x in lists])
    scores = score(examples=encoded)["scores"].numpy()
    return [row[: len(x.candidates)] for row, x in zip(scores, lists, strict=True)]


def _largest_difference(target, signature, lists, features, expected) -> float:
    """Over all candidates of all lists; NaN counts as infinite."""
    largest = 0.0
    with RerankClient(target, features, signature=signature, timeout=30) as client:
        for ranking_list, scores in zip(lists, expected, strict=True):
            served = client.rerank(ranking_list)
            by_place = np.full(len(scores), np.nan)
            by_place[list(served.order)] = served.scores
            difference = np.abs(by_place - scores).max()
            largest = max(largest, float(np.nan_to_num(difference, nan=np.inf)))
    return largest
