"""What the report says of the data."""

import pytest
from report_run import inputs, make_list, write_json, write_logs

from tfx_pipeline.report.data import describe_data, list_shapes
from tfx_pipeline.report.inputs import read_json


def test_counts_come_splits_first_then_reasons_by_size(tmp_path):
    write_logs(tmp_path)
    found = describe_data(inputs(tmp_path))

    assert list(found["lists"].items()) == [
        ("train", 5),
        ("validation", 1),
        ("test", 3),
        ("too_few_candidates", 4),
        ("one_label_only", 2),
    ]
    assert found["ratings"] == {"train": 97}
    assert found["files"]["u.data"]["set_aside"] == {"bad rating": 2, "too short": 1}
    assert found["cuts"] == {
        "first_stage_end": "1970-01-01",
        "train_end": "1970-01-02",
        "validation_end": "1970-01-03",
    }


def test_a_simulated_world_has_neither_files_nor_ratings(tmp_path):
    write_logs(tmp_path)
    assert describe_data(inputs(tmp_path))["is_simulated"] is False
    plan = {name: 0 for name in ("first_stage_end", "train_end", "validation_end")}
    write_json(tmp_path / "log/plan.json", plan | {"simulated": True})
    write_json(tmp_path / "log/counts.json", {})
    counts = {"lists/train": 5, "clicks/train": 9, "shown/1": 7}
    write_json(tmp_path / "examples/counts.json", counts)

    found = describe_data(inputs(tmp_path))
    assert found["is_simulated"] is True
    assert (found["files"], found["ratings"]) == ({}, {})
    assert found["lists"] == {"train": 5}


def test_rows_of_raw_logs_are_told_by_table(tmp_path):
    write_logs(tmp_path)
    write_json(tmp_path / "log/plan.json", {"protocol": "librerank"})
    rows = {"shown/read": 9, "shown/train": 5, "shown/duplicate": 4, "ads/read": 0}
    counts = {f"rows/{name}": n for name, n in rows.items()} | {"lists/train": 2}
    write_json(tmp_path / "examples/counts.json", counts)

    found = describe_data(inputs(tmp_path))
    assert found["rows"] == {"shown": {"read": 9, "train": 5, "duplicate": 4}}
    assert found["lists"] == {"train": 2}
    assert found["cuts"] == {}  # users were drawn


def test_anomalies_and_statistics(tmp_path):
    write_logs(tmp_path)
    found = describe_data(inputs(tmp_path))

    assert found["anomalies"] == [
        {
            "split": "test",
            "feature": "user_age",
            "severity": "ERROR",
            "what": "Unexpectedly low values.",
        }
    ]
    ids, age = found["features"]
    assert (ids["feature"], ids["unique"], ids["missing"]) == ("history_item_id", 40, 7)
    assert (ids["values_a_list"], ids["mean"]) == (12.5, None)
    assert (age["mean"], age["deviation"], age["test_mean"]) == (30.0, 5.0, 33.0)


def test_shapes_of_lists():
    lists = [make_list([0, 1, 1], past=4), make_list([1, 0])]

    assert list_shapes(lists) == {
        "candidates": [3, 2],
        "past_items": [4, 0],
        "clicks": [2, 1],
    }


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="history.json is missing"):
        read_json(tmp_path / "history.json")
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match="plan.json is no valid JSON"):
        read_json(tmp_path / "plan.json")
