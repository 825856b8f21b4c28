"""What the data step read, set aside and found odd."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from psad_tf.data.logs.accounts import rows_by_fate
from psad_tf.data.ranking_list import RankingList
from tfx_pipeline.origins import VERDICT
from tfx_pipeline.report.inputs import SPLITS, ReportInputs, read_json

CUTS = ("first_stage_end", "train_end", "validation_end")


def describe_data(inputs: ReportInputs) -> dict[str, Any]:
    """The counts, cuts, anomalies and statistics of a run's data.

    Returns:
        `is_simulated`, `files` (of each raw file, lines read and set aside by reason),
        `lists`, `ratings` and `rows` (by what became of them; `rows` of each table of
        raw logs; a data set may have no ratings or rows), `cuts` (name to day; none
        where users are drawn), `gate` (the data gate's decision), `anomalies` (one row
        a finding) and `features` (one row a raw feature).
    """
    counts = read_json(inputs.examples / "counts.json")
    plan = read_json(inputs.log / "plan.json")
    return {
        "is_simulated": plan.get("simulated", False),
        "files": read_json(inputs.log / "counts.json"),
        "lists": _of_kind(counts, "lists"),
        "ratings": _of_kind(counts, "ratings"),
        "rows": rows_by_fate(counts),
        "cuts": {
            name: datetime.fromtimestamp(plan[name], UTC).date().isoformat()
            for name in CUTS
            if name in plan
        },
        "gate": read_json(inputs.data_gate / VERDICT),
        "anomalies": read_anomalies(inputs.anomalies),
        "features": feature_rows(inputs.statistics),
    }


def _of_kind(counts: Mapping[str, int], kind: str) -> dict[str, int]:
    """The counts named `<kind>/<fate>`: splits in order, then reasons by size."""
    found = {
        name.removeprefix(f"{kind}/"): number
        for name, number in counts.items()
        if name.startswith(f"{kind}/")
    }
    places = {split: i for i, split in enumerate(SPLITS)}
    ordered = sorted(found, key=lambda n: (places.get(n, len(SPLITS)), -found[n], n))
    return {name: found[name] for name in ordered}


def read_anomalies(folder: Path) -> list[dict[str, str]]:
    """One row a finding: split, feature, severity and what is wrong.

    Args:
        folder: ExampleValidator's, with `Split-<name>/SchemaDiff.pb`.
    """
    rows = []
    for file in sorted(Path(folder).glob("Split-*/SchemaDiff.pb")):
        found = anomalies_pb2.Anomalies.FromString(file.read_bytes())
        named = sorted(found.anomaly_info.items())
        if found.HasField("dataset_anomaly_info"):
            named.append(("(all features)", found.dataset_anomaly_info))
        rows += [
            {
                "split": file.parent.name.removeprefix("Split-"),
                "feature": name,
                "severity": anomalies_pb2.AnomalyInfo.Severity.Name(info.severity),
                "what": info.description or info.short_description,
            }
            for name, info in named
        ]
    return rows


def feature_rows(folder: Path) -> list[dict[str, Any]]:
    """Each raw feature in the training lists, and its mean in the test lists.

    Args:
        folder: StatisticsGen's, with `Split-<name>/FeatureStats.pb`.
    """
    train, test = (_features(folder, split) for split in ("train", "test"))
    rows = []
    for name, feature in sorted(train.items()):
        common = _common(feature)
        row = {
            "feature": name,
            "missing": common.num_missing,
            "values_a_list": common.avg_num_values,
            "unique": None,
            "mean": None,
            "deviation": None,
            "test_mean": None,
        }
        if feature.HasField("num_stats"):
            row["mean"] = feature.num_stats.mean
            row["deviation"] = feature.num_stats.std_dev
            row["test_mean"] = test[name].num_stats.mean if name in test else None
        else:
            row["unique"] = feature.string_stats.unique
        rows.append(row)
    return rows


def _features(folder: Path, split: str) -> dict[str, Any]:
    file = Path(folder) / f"Split-{split}" / "FeatureStats.pb"
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
    return {
        (feature.name or ".".join(feature.path.step)): feature
        for dataset in found.datasets
        for feature in dataset.features
    }


def _common(feature):
    kind = "num_stats" if feature.HasField("num_stats") else "string_stats"
    return getattr(feature, kind).common_stats


def list_shapes(lists: Iterable[RankingList]) -> dict[str, Sequence[int]]:
    """Candidates, past items and clicks of each list."""
    lists = list(lists)
    return {
        "candidates": [len(x.candidates) for x in lists],
        "past_items": [len(x.history) for x in lists],
        "clicks": [int(sum(x.labels)) for x in lists],
    }
