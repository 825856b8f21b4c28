"""Windows of spans: which are read, what was delivered twice, what came late."""

import pytest

from psad_tf.data.errors import DataError
from psad_tf.data.logs.prm_public import PRM_PUBLIC_READER
from psad_tf.errors import ConfigError
from tfx_pipeline.fingerprint import folder_fingerprint
from tfx_pipeline.spans import name_in_window, spans_in, window

FILE = "set1.train.txt.part1"


@pytest.fixture
def raw(tmp_path):
    """Spans 8, 9 and 10, a file each, and what is no span."""
    folder = tmp_path / "raw"
    for number in (8, 9, 10):
        (folder / f"span-{number}").mkdir(parents=True)
        (folder / f"span-{number}" / FILE).write_text(f"lines of {number}\n")
    (folder / "span-9" / "notes.md").write_text("no table")
    (folder / "span-x").mkdir()
    return folder


def a_window(raw, span, width, dataset="prm_public"):
    return window(raw, span, width, dataset, raw.parent / "root")


def contents(folder):
    return {p.name: p.read_text() for p in sorted(folder.glob("set*"))}


def test_spans_are_numbers_in_order(raw):
    assert list(spans_in(raw)) == [8, 9, 10]


def test_a_window_of_one_is_the_span_itself(raw):
    found = a_window(raw, 9, 1, "click_world")
    assert (found.spans, found.raw) == ((9,), raw / "span-9")
    assert found.names() == "9"


def test_a_window_holds_the_files_of_its_spans_in_their_order(raw):
    found = a_window(raw, 10, 2)
    assert found.names() == "9,10"
    assert list(contents(found.raw).values()) == ["lines of 9\n", "lines of 10\n"]
    # The reader finds them all, and nothing else stands there but the record.
    (pattern,) = PRM_PUBLIC_READER.impressions.patterns
    names = {p.name for p in found.raw.iterdir()}
    assert names - {p.name for p in found.raw.glob(pattern)} == {"window.json"}


def test_a_window_rolls_on(raw):
    first, second = a_window(raw, 9, 2), a_window(raw, 10, 2)
    assert (first.spans, second.spans) == ((8, 9), (9, 10))
    assert first.raw != second.raw
    assert list(contents(first.raw).values()) == ["lines of 8\n", "lines of 9\n"]


def test_a_window_begins_with_the_first_span_there_is(raw):
    assert a_window(raw, 9, 7).spans == (8, 9)


def test_a_span_delivered_twice_is_read_once(raw):
    (raw / "span-10" / FILE).write_text("lines of 8\n")
    found = a_window(raw, 10, 3)
    assert (found.spans, found.repeats) == ((8, 9), {10: 8})
    assert list(contents(found.raw).values()) == ["lines of 8\n", "lines of 9\n"]


def test_the_same_window_again_is_the_same_to_the_cache(raw):
    first = folder_fingerprint(a_window(raw, 10, 2).raw)
    assert folder_fingerprint(a_window(raw, 10, 2).raw) == first


def test_late_data_changes_the_window(raw):
    before = a_window(raw, 10, 2)
    known = folder_fingerprint(before.raw)
    (raw / "span-9" / "set1.train.txt.part2").write_text("late lines of 9\n")
    after = a_window(raw, 10, 2)
    assert folder_fingerprint(after.raw) != known
    assert before.fingerprints[9] != after.fingerprints[9]
    assert before.fingerprints[10] == after.fingerprints[10]
    assert "late lines of 9\n" in contents(after.raw).values()


@pytest.mark.parametrize("span, width, lacks", [(11, 1, "11"), (11, 3, "11")])
def test_a_span_that_is_not_there_is_named(raw, span, width, lacks):
    with pytest.raises(DataError, match=f"no span-{lacks}; there are span-8, span-9"):
        a_window(raw, span, width)


def test_a_gap_in_the_window_is_named(raw):
    (raw / "span-9").rename(raw / "late-9")
    with pytest.raises(DataError, match="no span-9"):
        a_window(raw, 10, 3)


@pytest.mark.parametrize(
    "width, dataset, message",
    [(0, "prm_public", "window=0"), (2, "click_world", "click_world is not built")],
)
def test_what_cannot_be_a_window_is_refused(raw, width, dataset, message):
    with pytest.raises(ConfigError, match=message):
        a_window(raw, 10, width, dataset)


def test_a_file_of_one_name_alone_cannot_stand_twice():
    with pytest.raises(ConfigError, match=r"'users\.tsv' can have no other name"):
        name_in_window("users.tsv", "users.tsv", 3)
