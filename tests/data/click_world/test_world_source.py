"""The whole build of a click world: the same whoever works on what, and nothing odd."""

import dataclasses
import json

import apache_beam as beam
import platformdirs
import pytest
import quick_beam  # noqa: F401

from psad_tf.data.beam_lists import BuildLists, prepare
from psad_tf.data.build import BEAM_ARGUMENTS, build_dataset
from psad_tf.data.click_world import beam_lists as world_lists
from psad_tf.data.click_world import source
from psad_tf.data.click_world.config import world_config
from psad_tf.data.click_world.world import World
from psad_tf.data.errors import DataError
from psad_tf.data.prepare import raw_folder
from psad_tf.data.prepared import read_json, write_json
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import CLICK_WORLD, CLICK_WORLD_5


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda _: tmp_path / "cache")


@pytest.fixture
def raw(tmp_path):
    """A world of 30 users."""
    folder = tmp_path / "raw"
    folder.mkdir()
    write_json(folder / "world.json", {"users": 30, "items": 60})
    return folder


def files(folder):
    return {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_built_world_is_what_its_summary_says(tmp_path, raw):
    summary = build_dataset("click-world", tmp_path / "out", raw, seed=5)
    assert summary["simulated"] is True and summary["dataset"] == "click_world"
    assert summary["world"]["seed"] == 5 and len(summary["assumptions"]) > 3
    assert read_json(tmp_path / "out" / "summary.json") == summary
    cuts = [summary[f"{n}_end"] for n in ("first_stage", "train", "validation")]
    for split, begin, end in zip(SPLITS, cuts, [*cuts[1:], 10**18], strict=True):
        lists = list(read_lists(tmp_path / "out" / split, CLICK_WORLD))
        assert len(lists) == summary["lists"][split] > 0
        for one in lists:
            assert begin <= one.timestamp < end
            assert 0 < sum(one.labels) < len(one.labels) == len(one.truth) == 20
    titles = read_json(tmp_path / "out" / "items.json")
    world = World.load(tmp_path / "out")
    assert list(titles) == world.items.ids()


def test_workers_and_blocks_leave_no_trace(tmp_path, raw, monkeypatch):
    build_dataset("click-world", tmp_path / "a", raw)
    build_dataset("click-world", tmp_path / "b", raw, workers=2)
    monkeypatch.setattr(world_lists, "_USERS_A_BLOCK", 7)
    build_dataset("click-world", tmp_path / "c", raw)
    expected = files(tmp_path / "a")
    assert files(tmp_path / "b") == expected
    assert files(tmp_path / "c") == expected


def test_large_worlds_are_written_in_files_as_the_runner_likes(
    tmp_path, raw, monkeypatch
):
    build_dataset("click-world", tmp_path / "a", raw)
    monkeypatch.setattr(source, "_LISTS_A_FILE", 1)
    monkeypatch.setattr(world_lists, "_USERS_A_BLOCK", 7)
    build_dataset("click-world", tmp_path / "b", raw)
    for split in SPLITS:
        one, other = (
            {x.request_id: x for x in read_lists(tmp_path / name / split, CLICK_WORLD)}
            for name in "ab"
        )
        assert one == other


def test_a_seed_makes_the_world(tmp_path, raw):
    one = build_dataset("click-world", tmp_path / "a", raw, seed=1)
    other = build_dataset("click-world", tmp_path / "b", raw, seed=2)
    assert one["lists"] != other["lists"]


def test_short_lists_are_of_the_same_users_and_items(tmp_path, raw):
    build_dataset("click-world", tmp_path / "long", raw)
    summary = build_dataset("click-world-5", tmp_path / "short", raw)
    assert summary["best_found_by"] == "trial of all orders"
    lists = list(read_lists(tmp_path / "short" / "test", CLICK_WORLD_5))
    assert {len(one.candidates) for one in lists} == {5}
    long, short = (World.load(tmp_path / name) for name in ("long", "short"))
    assert (long.items.vector == short.items.vector).all()
    assert short.config == dataclasses.replace(long.config, list_length=5)


def test_a_size_names_a_folder_with_its_world(tmp_path):
    folder = raw_folder("click-world", size="fixture")
    content = json.loads((folder / "world.json").read_text())
    assert content["users"] == world_config("fixture").users
    assert raw_folder("click-world-5", size="fixture") == folder
    usual = json.loads((raw_folder("click-world") / "world.json").read_text())
    assert usual["users"] == world_config("study").users
    with pytest.raises(ConfigError, match="'tiny' is unknown; known: fixture"):
        raw_folder("click-world", size="tiny")
    with pytest.raises(ConfigError, match="movielens_100k is real data of one size"):
        raw_folder("movielens-100k", size="fixture")


@pytest.mark.parametrize(
    "content, error, message",
    [
        (None, DataError, "world.json holds no world .*or name a size"),
        ("{", DataError, "world.json holds no world"),
        ('{"planets": 9}', ConfigError, r"fields \['planets'\] are unknown"),
        ('{"seed": 9}', ConfigError, r"fields \['seed'\] are unknown"),
        ('{"users": -1}', ConfigError, "users=-1; give 1 or more"),
    ],
)
def test_a_bad_description_is_refused(tmp_path, content, error, message):
    (tmp_path / "raw").mkdir()
    if content is not None:
        (tmp_path / "raw" / "world.json").write_text(content)
    with pytest.raises(error, match=message):
        build_dataset("click-world", tmp_path / "out", tmp_path / "raw")
    assert not (tmp_path / "out").exists()


def test_lists_need_what_was_prepared_for_their_world(tmp_path, raw):
    prepare(raw, tmp_path / "prepared", "click-world")
    write_json(raw / "world.json", {"users": 31, "items": 60})
    with pytest.raises(Exception, match="prepared for fingerprint=.*prepare it again"):
        with beam.Pipeline(argv=BEAM_ARGUMENTS) as pipeline:
            pipeline | BuildLists(raw, tmp_path / "prepared", "click-world")


def test_workers_are_a_positive_number(tmp_path, raw):
    with pytest.raises(ConfigError, match="workers=0; give 1 or more"):
        build_dataset("click-world", tmp_path / "out", raw, workers=0)
