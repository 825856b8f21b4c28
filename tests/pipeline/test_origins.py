"""Origins: which one a run begins from, and how long they are kept."""

import json

import pytest

from tfx_pipeline.origins import keep_origin, last_origin
from tfx_pipeline.store_versions import prune, roll_back


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def push(store, version, spans="", text="weights"):
    """A version, and its origin as the pipeline keeps it."""
    (store / str(version)).mkdir()
    (store / str(version) / "saved_model.pb").touch()
    made = store.parent / f"made-{version}"
    assets = made / "graph" / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    (assets / "vocabulary_colour").write_text("red\n")
    (made / "psad.keras").write_text(text)
    (made / "statistics").mkdir()
    (made / "statistics" / "some").write_text("counts")
    (made / "verdict.json").write_text(json.dumps({"facts": {}}))
    return keep_origin(
        store,
        version,
        spans,
        weights=made / "psad.keras",
        transform=made / "graph",
        statistics=made / "statistics",
        verdict=made / "verdict.json",
    )


def test_an_origin_is_kept_whole_and_beside_the_version(store):
    folder = push(store, 7, "3,4")
    found = sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))
    assert found == [
        "data_gate.json",
        "origin.json",
        "psad.keras",
        "statistics",
        "statistics/some",
        "vocabularies",
        "vocabularies/vocabulary_colour",
    ]
    assert [p.name for p in (store / "7").iterdir()] == ["saved_model.pb"]
    found = last_origin(store, "5")
    assert (found.version, found.folder, found.spans) == (7, folder, "3,4")


def test_there_is_none_before_the_first_push(store):
    assert last_origin(store, "1") is None
    assert last_origin(store.parent / "nowhere", "") is None


@pytest.mark.parametrize(
    "spans, version",
    [("4,5", 8), ("3,4", 7), ("4", 7), ("3", None), ("2,3", None), ("", 8)],
)
def test_a_span_begins_from_what_has_not_seen_it(store, spans, version):
    push(store, 7, "2,3")
    push(store, 8, "3,4")
    found = last_origin(store, spans)
    assert (found and found.version) == version


def test_a_version_that_was_rolled_back_is_not_begun_from(store):
    push(store, 7)
    push(store, 8)
    roll_back(store)
    assert last_origin(store, "").version == 7


def test_a_version_of_elsewhere_is_passed_over(store):
    push(store, 7)
    (store / "9").mkdir()
    (store / "9" / "saved_model.pb").touch()
    assert last_origin(store, "").version == 7


def test_an_origin_that_is_there_stays_as_it_is(store):
    folder = push(store, 7)
    (store / "7" / "saved_model.pb").unlink()
    (store / "7").rmdir()
    (store.parent / "made-7").rename(store.parent / "before")
    assert push(store, 7, text="other") == folder
    assert (folder / "psad.keras").read_text() == "weights"


def test_origins_go_with_their_versions(store):
    for version in (7, 8, 9):
        push(store, version)
    prune(store, 2)
    push(store, 10)
    names = sorted(int(p.name) for p in (store / "origins").iterdir())
    assert names == [8, 9, 10]
