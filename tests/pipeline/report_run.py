"""A made-up pipeline run: small folders as its components would have written them."""

import json
from pathlib import Path

import numpy as np
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.data_gate.config import DataGateConfig
from tfx_pipeline.data_gate.found import Found, ListFacts
from tfx_pipeline.data_gate.judge import as_content
from tfx_pipeline.gate.check import AT_MOST, VALUE, Demand
from tfx_pipeline.gate.record import as_record
from tfx_pipeline.report.inputs import ReportInputs

# NDCG of the one click in second place: 1 / log2(3).
SECOND = 1 / np.log2(3)


def item(name: str, mean_rating: float = 3.0, like_rate: float = 0.5, **more) -> dict:
    values = {"item_id": name, "genres": "Drama", "year": 1990.0}
    values |= {"mean_rating": mean_rating, "like_rate": like_rate}
    return values | {"log_rating_count": 1.0} | more


AFFINITY = dict.fromkeys(
    ("genre_affinity", "year_affinity", "similar_items", "similar_users"), 0.0
)
PAST = {"rating": 5.0, "liked": 1.0, "log_hours_ago": 1.0}


def candidate(place: int, *columns) -> dict:
    return item(*columns, initial_score=1.0 - place / 20, **AFFINITY)


def make_list(
    labels,
    mean_ratings=None,
    like_rates=None,
    past: int = 0,
    rating_count: float = 0.0,
    request_id: str = "u1-1-0",
) -> RankingList:
    """A list whose items are named a, b, c, ... in the initial order."""
    n = len(labels)
    mean_ratings = mean_ratings or [3.0] * n
    like_rates = like_rates or [0.5] * n
    user = {"user_id": "u1", "user_age": 30.0, "user_gender": "F"}
    user |= {"user_occupation": "artist", "user_zip_prefix": "1"}
    columns = zip("abcdefghijklmnopqrst", mean_ratings, like_rates, strict=False)
    return RankingList(
        user | {"user_rating_count": rating_count},
        [candidate(i, *c) for i, c in enumerate(columns) if i < n],
        [item(f"p{i}", **PAST) for i in range(past)],
        tuple(float(x) for x in labels),
        request_id,
        890_000_000,
    )


def order_of(*rows, width: int = 20) -> np.ndarray:
    """Orders of several lists, filled up with -1."""
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32)


def write_json(file: Path, content) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def write_logs(root: Path) -> None:
    """Everything but examples, model and the Evaluator's result."""
    plan = {"first_stage_end": 0, "train_end": 86_400, "validation_end": 172_800}
    files = {"u.data": {"read": 100, "set_aside": {"bad rating": 2, "too short": 1}}}
    counts = {"lists/test": 3, "lists/train": 5, "lists/validation": 1}
    counts |= {"lists/one_label_only": 2, "lists/too_few_candidates": 4}
    write_json(root / "log/plan.json", plan)
    write_json(root / "log/counts.json", files)
    write_json(root / "log/items.json", {"a": "Alien (1979)", "b": "<b>Babe</b>"})
    write_json(root / "examples/counts.json", counts | {"ratings/train": 97})
    history = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.5, 2.4]}
    history |= {"scorer_loss": [1.0, 0.8, 0.7], "val_scorer_loss": [1.0, 0.9, 0.9]}
    history |= {"val_ndcg_at_10": [0.7, 0.82, 0.81]}
    write_json(root / "model_run/history.json", history)
    branches = {"student": 0.82, "teacher": 0.83, "initial": 0.75}
    branches = {f"{k}_ndcg_at_10": v for k, v in branches.items()}
    write_json(root / "model_run/branches.json", branches)
    write_json(root / "infra/serving_check.json", serving_check() | {"rank": 1e-7})
    write_json(root / "model/assets.extra/psad.json", {"version": "0.1.0"})
    write_data_gate(root / "data_gate")
    write_statistics(root / "statistics")
    write_anomalies(root / "anomalies")


def serving_check(difference: float = 1e-7, reason: str = "every answer agrees"):
    """What the serving check writes of one difference."""
    demand = Demand("served_scores", 1e-4, "It must agree.", AT_MOST, VALUE, "mend it")
    about = {"lists": 34, "reason": reason}
    return as_record([demand.check(difference)], **about)


def write_data_gate(folder: Path) -> None:
    """Passed, beside the data of version 16."""
    facts = ListFacts(5, 18.0, 0.2, 0.0, 0.1)
    drift = {"user_age": 0.25, "candidate_item_id": 0.05}
    found = Found(facts, facts, [], drift, drift, {"candidate_item_id"})
    about = {"dataset": MOVIELENS_100K.name, "spans": "2,3", "compared_with": "16"}
    content = as_content(found, DataGateConfig(), **about)
    write_json(folder / "data_gate.json", content)


def write_statistics(folder: Path) -> None:
    for split, mean in (("train", 30.0), ("test", 33.0)):
        stats = statistics_pb2.DatasetFeatureStatisticsList()
        features = stats.datasets.add().features
        age = features.add(name="user_age")
        age.num_stats.mean, age.num_stats.std_dev = mean, 5.0
        age.num_stats.common_stats.avg_num_values = 1.0
        ids = features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        ids.path.step.append("history_item_id")
        ids.string_stats.unique = 40
        ids.string_stats.common_stats.num_missing = 7
        ids.string_stats.common_stats.avg_num_values = 12.5
        file = folder / f"Split-{split}" / "FeatureStats.pb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(stats.SerializeToString())


def write_anomalies(folder: Path) -> None:
    """None in the training lists, one in the test lists."""
    found = anomalies_pb2.Anomalies()
    info = found.anomaly_info["user_age"]
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    info.description = "Unexpectedly low values."
    for split, content in (("train", anomalies_pb2.Anomalies()), ("test", found)):
        file = folder / f"Split-{split}" / "SchemaDiff.pb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.SerializeToString())


def settings(root: Path) -> dict:
    return {
        "dataset": MOVIELENS_100K.name,
        "root": str(root),
        "gate": {"min_gain_over_blessed": 0.005},
    }


def inputs(root: Path) -> ReportInputs:
    """Of a run that was pushed."""
    return ReportInputs(
        examples=root / "examples",
        log=root / "log",
        statistics=root / "statistics",
        anomalies=root / "anomalies",
        data_gate=root / "data_gate",
        model=root / "model",
        model_run=root / "model_run",
        evaluation=root / "evaluation",
        infra_blessing=root / "infra",
        model_blessed=True,
        infra_blessed=True,
        pushed=True,
        pushed_version="17",
        pushed_destination="/store/17",
        settings=settings(root),
        created="today",
    )
