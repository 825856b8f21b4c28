"""The lists that the model server is asked before a push, whatever the data set."""

import pytest
import tensorflow as tf

from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.feature_sets import CLICK_WORLD, MOVIELENS_100K
from schemas import schema_path
from tfx_pipeline.serving_lists import sample_lists
from tfx_pipeline.trainer import serving_spec

SETS = [MOVIELENS_100K, CLICK_WORLD]


def item(features, number):
    return {f.name: f"v{number}" if f.kind.is_text else number for f in features}


def stored(features, candidates, past=0):
    """A list as ExampleGen writes it; item i has the value i, or vi, throughout."""
    offered = [item(features.of_candidates(), float(i)) for i in range(candidates)]
    return RankingList(
        item(features.user, 30.0),
        offered,
        [item(features.of_history(), 100.0 + i) for i in range(past)],
        [1.0] + [0.0] * (candidates - 1),
        f"r{candidates}",
        7,
        [item(features.truth, 0.5)] * candidates if features.truth else None,
    )


def written(folder, features, lists):
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "part.gz"), "GZIP") as writer:
        for one in lists:
            writer.write(encode_list(one, features))
    return str(folder)


@pytest.mark.parametrize("features", SETS, ids=lambda f: f.name)
def test_the_worst_cases_are_asked_even_where_no_list_has_a_past(features, tmp_path):
    folder = written(tmp_path / "s", features, [stored(features, 3)])
    plain, fullest, least = sample_lists(folder, features, 8)
    assert len(plain.candidates) == 3
    assert len(fullest.candidates) == features.list_length
    assert len(fullest.history) == features.history_length
    # A past item is the first candidate; what is known of past ones alone is empty.
    past = {f.name: 0.0 for f in features.history} | item(features.item, 0.0)
    assert set(fullest.history[0]) == {f.name for f in features.of_history()}
    assert fullest.history[0] == past
    assert (len(least.candidates), len(least.history)) == (1, 0)
    for one in (plain, fullest, least):
        encode_list(one, features)


@pytest.mark.parametrize("features", SETS, ids=lambda f: f.name)
def test_a_past_that_is_there_is_repeated(features, tmp_path):
    lists = [stored(features, 2), stored(features, 4, past=2), stored(features, 3)]
    folder = written(tmp_path / "s", features, lists)
    *chosen, fullest, _ = sample_lists(folder, features, 2)
    assert [len(x.candidates) for x in chosen] == [2, 3]
    assert len(sample_lists(folder, features, 9)) == 3 + 2
    fullest = sample_lists(folder, features, 3)[-2]
    times = [item["log_hours_ago"] for item in fullest.history[:4]]
    assert times == [100.0, 101.0, 100.0, 101.0]


@pytest.mark.parametrize("features", SETS, ids=lambda f: f.name)
def test_requests_are_parsed_without_what_only_stored_lists_have(features):
    spec = serving_spec(str(schema_path(features.name)), features)
    assert set(spec) == {name for name, _ in features.raw()}
