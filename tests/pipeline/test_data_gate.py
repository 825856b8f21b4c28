"""The data gate on stored lists: what it counts, what TFDV measures, what it leaves."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from fitted_transform import USER, candidate, past_item
from google.protobuf import text_format
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES
from psad_tf.report_page.record import plain
from schemas import schema_path
from tfx_pipeline.data_gate.component import find
from tfx_pipeline.data_gate.config import DataGateConfig
from tfx_pipeline.data_gate.errors import DataRefusedError
from tfx_pipeline.data_gate.found import ListFacts
from tfx_pipeline.data_gate.judge import as_content
from tfx_pipeline.data_gate.lists import flat_lists
from tfx_pipeline.data_gate.refused import refuse
from tfx_pipeline.gate.record import read_record
from tfx_pipeline.origins import Origin

SCHEMA = text_format.Parse(schema_path(FEATURES.name).read_text(), schema_pb2.Schema())


def make(number, names, scores, labels, gender="F", year=1990.0):
    items = [
        candidate(name, "Drama", year, 3.0, score)
        for name, score in zip(names, scores, strict=True)
    ]
    user = USER | {"user_gender": gender}
    past = [past_item("p", "War", 1980.0, 3.0)]
    return RankingList(user, items, past, labels, f"r{number}", 7 + number)


def train(gender="F", year=1990.0):
    """Lengths 2, 3 and 1; click shares 1/2, 1/3 and 0; the second list is flat."""
    return [
        make(1, "ab", [0.9, 0.1], [1.0, 0.0], gender, year),
        make(2, "abc", [0.5] * 3, [0.0, 0.0, 1.0], gender, year),
        make(3, "a", [0.5], [0.0], gender, year),
    ]


# Of four candidates one is new.
TEST = [make(4, "ab", [0.9, 0.1], [1.0, 0.0]), make(5, "cz", [0.9, 0.1], [0.0, 1.0])]
FACTS = ListFacts(3, 2.0, (1 / 2 + 1 / 3) / 3, 0.5, 0.25)


def write(folder: Path, splits) -> Path:
    """Lists and their statistics, as ExampleGen and StatisticsGen write them."""
    for split, lists in splits.items():
        examples = folder / "examples" / f"Split-{split}"
        examples.mkdir(parents=True)
        file = str(examples / "data_tfrecord-00000-of-00001.gz")
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for one in lists:
                writer.write(encode_list(one, FEATURES))
        statistics = folder / "statistics" / f"Split-{split}"
        statistics.mkdir(parents=True)
        found = statistics_of(lists)
        (statistics / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return folder


def statistics_of(lists) -> statistics_pb2.DatasetFeatureStatisticsList:
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    decoder = ExamplesToRecordBatchDecoder(SCHEMA.SerializeToString())
    batch = decoder.DecodeBatch([encode_list(one, FEATURES) for one in lists])
    options = tfdv.StatsOptions(schema=SCHEMA)
    return stats_impl.generate_statistics_in_memory(batch, options)


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before")
    return write(folder, {"train": train(), "validation": TEST, "test": TEST})


@pytest.fixture(scope="module")
def origin(before, tmp_path_factory):
    """Of version 17, which learned from the same lists."""
    folder = tmp_path_factory.mktemp("origin")
    (folder / "statistics").symlink_to(before / "statistics")
    content = plain(as_content(found_in(before), DataGateConfig()))
    (folder / "data_gate.json").write_text(json.dumps(content))
    return Origin(17, folder, "1")


def found_in(folder, origin=None):
    return find(folder / "examples", folder / "statistics", SCHEMA, FEATURES, origin)


def test_the_lists_are_counted(before):
    assert found_in(before).facts == FACTS


def test_flat_lists_have_two_candidates_and_one_score():
    scores = np.array([1.0, 1.0, 2.0, 3.0, 3.0, 3.0])
    assert flat_lists(scores, np.array([2, 2, 2])) == 2
    assert flat_lists(scores, np.array([1, 3, 1, 1])) == 0


def test_data_that_keeps_to_the_schema_has_no_anomaly(before):
    assert found_in(before).anomalies == []


def test_the_same_data_has_not_moved(before, origin):
    found = found_in(before, origin)
    assert found.before == FACTS
    raw = {name for name, _ in FEATURES.raw()}
    assert set(found.drift) == raw
    assert max(found.drift.values()) == 0


def test_drift_is_the_largest_change_of_a_share(tmp_path, origin):
    lists = [*train()[:2], train(gender="M")[2]]
    now = write(tmp_path, {"train": lists, "validation": TEST, "test": TEST})
    found = found_in(now, origin)
    # Of three users one is M now.
    assert found.drift["user_gender"] == pytest.approx(1 / 3)
    assert found.skew["user_gender"] == pytest.approx(1 / 3)
    assert found.drift["candidate_item_id"] == 0
    # Test candidates: a, b, c and z once each; of training: a 3, b 2 and c 1 in 6.
    assert found.skew["candidate_item_id"] == pytest.approx(1 / 4)


def test_numbers_without_common_values_diverge_wholly(tmp_path, origin):
    lists = train(year=2020.0)
    now = write(tmp_path, {"train": lists, "validation": TEST, "test": TEST})
    found = found_in(now, origin)
    assert found.drift["candidate_year"] == pytest.approx(1, abs=1e-3)
    assert found.drift["history_year"] == 0


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """The root of a run whose data broke the schema, and the error it ended with."""
    folder, root = tmp_path_factory.mktemp("bad"), tmp_path_factory.mktemp("root")
    wrong = make(1, "ab", [0.1, 0.1], [1.0, 1.0])
    wrong.candidates[0]["like_rate"] = 2.0  # a share
    write(folder, {"train": [wrong], "validation": TEST, "test": TEST})
    about = {"dataset": FEATURES.name, "spans": "2", "compared_with": None}
    content = plain(as_content(found_in(folder), DataGateConfig(), **about))
    return root, refuse(content, root)


def test_a_refusal_names_what_broke_the_schema(refused):
    root, error = refused
    assert isinstance(error, DataRefusedError)
    assert "candidate_like_rate (train)" in str(error)
    assert f"psad gate explain {root}" in str(error)


def test_a_refusal_leaves_a_report(refused):
    root, error = refused
    record = read_record(root)
    failed = {c["name"] for c in record["checks"] if c["passed"] is False}
    assert {"schema", "flat_share", "click_rate"} <= failed
    assert record["anomalies"][0]["severity"] == "ERROR"
    metrics = json.loads((root / "report/latest/metrics.json").read_text())
    assert metrics["decision"]["sentence"] in str(error)
    page = (root / "report/latest/index.html").read_text()
    assert "not pushed" in page and "Skew of training lists" in page
