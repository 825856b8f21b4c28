"""The whole build on a small log; the first stage is replaced by fixed vectors.

That the real first stage sees nothing late is shown in `test_first_stage`.
"""

import json
import random

import apache_beam as beam
import numpy as np
import pytest
import quick_beam  # noqa: F401
from raw_logs import random_log, write_grouplens, write_recbole
from threadpoolctl import threadpool_info

from psad_tf.data import rating_lists, rating_source
from psad_tf.data.beam_lists import BuildLists, prepare
from psad_tf.data.build import BEAM_ARGUMENTS, build_dataset
from psad_tf.data.errors import DataError
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.feature_sets import MOVIELENS_100K as FEATURES

USERS, ITEMS, RATINGS = random_log()
NAME = "movielens_100k"


@pytest.fixture(autouse=True)
def fixed_first_stage(monkeypatch):
    def train(log, before, towers, seed):
        rng = np.random.default_rng(seed)
        np.savez(
            towers,
            user_ids=np.array([user.id for user in log.users]),
            item_ids=np.array([item.id for item in log.items]),
            user_vectors=rng.normal(size=(len(log.users), 4)).astype(np.float32),
            item_vectors=rng.normal(size=(len(log.items), 4)).astype(np.float32),
            item_bias=rng.normal(size=len(log.items)).astype(np.float32),
        )

    monkeypatch.setattr(rating_source, "train_first_stage", train)


def _build(folder, ratings=RATINGS, write=write_grouplens, **options):
    raw = write(folder / "raw", ratings, USERS, ITEMS)
    return build_dataset(NAME, folder / "out", raw, **options)


def _read(folder):
    """Split → its lists, in the order of the file."""
    out = folder / "out"
    return {split: list(read_lists(out / split, FEATURES)) for split in SPLITS}


def _files(folder):
    out = folder / "out"
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_every_rating_has_one_fate(tmp_path):
    bad = [("1", "1", 9, 5), ("99", "1", 3, 5), ("1", "x", 3, 5)]
    summary = _build(tmp_path, [*RATINGS, *bad, RATINGS[0]])
    read = summary["files"]["u.data"]
    assert read["set_aside"] == {
        "duplicate": 1,
        "not_a_number": 1,
        "rating_out_of_range": 1,
        "unknown_user": 1,
    }
    assert read["read"] == len(RATINGS) + 4
    set_aside = sum(read["set_aside"].values())
    assert set_aside + sum(summary["ratings"].values()) == read["read"]
    quarantined = (tmp_path / "out" / "quarantine.tsv").read_text().splitlines()
    assert len(quarantined) == 1 + set_aside


def test_files_hold_what_the_summary_says(tmp_path):
    summary = _build(tmp_path)
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary
    lists = _read(tmp_path)
    for split in SPLITS:
        assert len(lists[split]) == summary["lists"][split] > 0
        sizes = [len(one.candidates) for one in lists[split]]
        assert sum(sizes) == summary["ratings"][split]
        assert all(0 < sum(one.labels) < len(one.labels) for one in lists[split])
    titles = json.loads((tmp_path / "out" / "items.json").read_text())
    assert titles["7"] == "Film 7" and len(titles) == len(ITEMS)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "items.json",
        "quarantine.tsv",
        "summary.json",
        "test",
        "towers.npz",
        "train",
        "validation",
    ]


def test_splits_follow_each_other_in_time(tmp_path):
    summary = _build(tmp_path)
    names = "first_stage_end", "train_end", "validation_end"
    cuts = [*(summary[name] for name in names), 10**18]
    lists = _read(tmp_path)
    for split, begin, end in zip(SPLITS, cuts, cuts[1:], strict=False):
        assert all(begin <= one.timestamp < end for one in lists[split])
    every = [one.request_id for split in SPLITS for one in lists[split]]
    assert len(set(every)) == len(every)


def test_both_forms_and_all_orders_give_the_same_bytes(tmp_path):
    shuffled = RATINGS.copy()
    random.Random(5).shuffle(shuffled)
    _build(tmp_path / "a")
    _build(tmp_path / "b", shuffled)
    _build(tmp_path / "c", write=write_recbole)
    one = _files(tmp_path / "a")
    assert _files(tmp_path / "b") == one
    other = _files(tmp_path / "c")
    for path in one:
        if path.name != "summary.json":  # it names the raw files
            assert other[path] == one[path]


def test_later_ratings_change_no_earlier_list(tmp_path):
    """Through the whole build: cuts, first stage, statistics, history."""
    summary = _build(tmp_path / "a")
    moment = summary["train_end"]
    changed = [(u, i, 6 - r if t >= moment else r, t) for u, i, r, t in RATINGS]
    assert _build(tmp_path / "b", changed)["train_end"] == moment
    train = "train/lists-00000-of-00001.tfrecord.gz"
    one, other = ((tmp_path / n / "out" / train).read_bytes() for n in "ab")
    assert one == other
    assert _read(tmp_path / "a")["test"] != _read(tmp_path / "b")["test"]


def test_too_many_bad_lines_leave_nothing(tmp_path):
    bad = [("1", "x", 3, 5)] * 30
    with pytest.raises(DataError, match="30 of 1230 lines are unusable"):
        _build(tmp_path, [*RATINGS, *bad])
    assert not (tmp_path / "out").exists()
    summary = _build(tmp_path, [*RATINGS, *bad], max_bad_share=0.03)
    assert summary["files"]["u.data"]["set_aside"] == {"not_a_number": 30}


def test_unknown_data_set_names_the_known(tmp_path):
    with pytest.raises(ValueError, match="'netflix' is unknown.*movielens_100k"):
        build_dataset("netflix", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _count_lists(raw, prepared):
    with beam.Pipeline(argv=BEAM_ARGUMENTS) as pipeline:
        outputs = pipeline | BuildLists(raw, prepared, NAME)
        assert set(outputs) == {*SPLITS, "counts"}


def test_lists_need_what_was_prepared_for_their_log(tmp_path):
    raw = write_grouplens(tmp_path / "raw", RATINGS, USERS, ITEMS)
    with pytest.raises(Exception, match="holds no plan.json .*call prepare"):
        _count_lists(raw, tmp_path / "prepared")
    prepare(raw, tmp_path / "prepared", NAME)
    _count_lists(raw, tmp_path / "prepared")
    other = write_grouplens(tmp_path / "other", RATINGS[:-1], USERS, ITEMS)
    with pytest.raises(Exception, match="prepared for fingerprint=.*prepare it again"):
        _count_lists(other, tmp_path / "prepared")


def test_lists_are_made_by_one_thread_of_blas(tmp_path, monkeypatch):
    def threads():
        return [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]

    def make_list(chunk, context, make=rating_lists.make_list):
        seen.update(threads())
        return make(chunk, context)

    seen, before = set(), threads()
    monkeypatch.setattr(rating_lists, "make_list", make_list)
    _build(tmp_path)
    assert seen == {1}
    assert threads() == before
