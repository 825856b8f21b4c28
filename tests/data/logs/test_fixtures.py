"""The three logs by hand, in their exact formats, against lists worked out on paper."""

import math

import fixture_ad
import fixture_avito
import fixture_prm_public
import pytest
import quick_beam  # noqa: F401

from psad_tf.data.build import build_dataset
from psad_tf.data.errors import DataError
from psad_tf.data.settings import LogSettings
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.feature_sets import feature_set


def build(dataset, files, folder, protocol="paper"):
    """The summary, and the lists by name with their splits."""
    raw = folder / "raw"
    raw.mkdir()
    for name, text in files.items():
        (raw / name).write_text(text, encoding="utf-8")
    summary = build_dataset(
        dataset,
        folder / "out",
        raw,
        max_bad_share=0.5,
        settings=LogSettings(protocol=protocol),
    )
    features = feature_set(dataset)
    lists = {
        one.request_id: (split, one)
        for split in SPLITS
        for one in read_lists(folder / "out" / split, features)
    }
    return summary, lists


def clicks_of(one):
    pairs = zip(one.candidates, one.labels, strict=True)
    return {candidate["item_id"]: label for candidate, label in pairs}


def past_of(one):
    return [past["item_id"] for past in one.history]


@pytest.fixture(scope="module")
def ad(tmp_path_factory):
    return build("ad", fixture_ad.FILES, tmp_path_factory.mktemp("ad"))


def test_ad_lists_by_the_papers_rules(ad):
    _, lists = ad
    assert set(lists) == set(fixture_ad.PAPER)
    for name, (context, clicks, history) in fixture_ad.PAPER.items():
        split, one = lists[name]
        user, before = one.user["user_id"], one.user["user_row_count"]
        assert (split, user, before, one.timestamp) == context, name
        assert clicks_of(one) == clicks, name
        assert past_of(one) == [item for item, _ in history]
        for past, (_, hours) in zip(one.history, history, strict=True):
            assert past["log_hours_ago"] == pytest.approx(math.log1p(hours))


def test_ad_features(ad):
    _, lists = ad
    for _, one in lists.values():
        profile = tuple(one.user[name] for name in fixture_ad.PROFILE_NAMES)
        assert profile == fixture_ad.PROFILES[one.user["user_id"]]
        for item in (*one.candidates, *one.history):
            *texts, price = fixture_ad.ITEMS[item["item_id"]]
            names = ("category", "campaign", "customer", "brand")
            assert [item[name] for name in names] == texts
            assert item["log_price"] == pytest.approx(math.log1p(price))
        # Nothing was shown on the days before.
        assert {item["log_impressions"] for item in one.candidates} == {0.0}


def test_ad_rows_have_one_end_each(ad):
    summary, _ = ad
    assert summary["rows"]["raw_sample"] == fixture_ad.PAPER_ENDS


def test_ad_lists_by_libreranks_rules(tmp_path):
    summary, lists = build("ad", fixture_ad.FILES, tmp_path, "librerank")
    made = {n: c for n, c in summary["lists"].items() if c}
    assert sum(made.values()) == len(fixture_ad.LIBRERANK)
    assert sum(made.get(split, 0) for split in SPLITS) == len(lists) > 0
    for name, (_, one) in lists.items():
        clicks, history = fixture_ad.LIBRERANK[name]
        assert clicks_of(one) == clicks
        assert past_of(one) == history
    ends = summary["rows"]["raw_sample"]
    assert fixture_ad.BEFORE_WINDOWS.items() <= ends.items()
    assert ends["user_without_click"] == 4
    assert "item_below_minimum" not in ends


def test_avito(tmp_path):
    summary, lists = build("avito", fixture_avito.FILES, tmp_path)
    assert set(lists) == set(fixture_avito.PAPER)
    for name, (context, clicks, history) in fixture_avito.PAPER.items():
        split, one = lists[name]
        user, before = one.user["user_id"], one.user["user_row_count"]
        assert (split, user, before, one.timestamp) == context
        assert list(clicks_of(one).items()) == list(clicks.items())
        assert past_of(one) == history
        found = tuple(one.user[name] for name in fixture_avito.SEARCH_NAMES)
        assert found == fixture_avito.SEARCHES[name]
        scores = [item["initial_score"] for item in one.candidates]
        assert scores == pytest.approx(fixture_avito.SCORES[name])
        for item in (*one.candidates, *one.history):
            category, location, price = fixture_avito.ITEMS[item["item_id"]]
            assert (item["category"], item["location"]) == (category, location)
            assert item["log_price"] == pytest.approx(math.log1p(price))
    rates = [item["historical_click_rate"] for item in lists["2"][1].candidates]
    assert rates == pytest.approx([0.007, 0.005, 0.006])
    assert summary["rows"]["trainSearchStream"] == fixture_avito.ENDS


def test_prm_public(tmp_path):
    files = fixture_prm_public.FILES
    summary, lists = build("prm_public", files, tmp_path)
    by_user = {one.user["user_id"]: one for _, one in lists.values()}
    expected = fixture_prm_public.PAPER
    # With first-stage lists out of the question, both are stored.
    assert set(by_user) == set(expected) and len(lists) == len(expected)
    for user, (profile, clicks, history) in expected.items():
        one = by_user[user]
        assert [one.user[f"user_feature_{n}"] for n in (1, 2, 3)] == profile
        assert list(clicks_of(one).items()) == list(clicks.items())
        assert past_of(one) == history
        for position, item in enumerate(one.candidates, 1):
            number = int(item["item_id"])
            assert item["initial_score"] == pytest.approx(1 / position)
            assert item["category"] == str(number + 10)
            assert item["basic_7"] == pytest.approx(number + 0.07)
            assert item["optional_12"] == pytest.approx(number + 0.12)
    ends = dict(summary["rows"]["pages"])
    assert sum(ends.pop(split, 0) for split in SPLITS) == fixture_prm_public.STORED
    assert ends == fixture_prm_public.ENDS
    assert sorted(summary["files"]) == sorted(fixture_prm_public.FILES)


def test_a_page_that_stands_twice_is_one(tmp_path):
    """Side by side, and in another file."""
    first, *rest = fixture_prm_public.LINES[:6]
    files = {"set1.train.txt.part1": "\n".join([first, first, *rest])}
    files["set1.train.txt.part2"] = rest[-1] + "\n"
    summary, lists = build("prm_public", files, tmp_path)
    assert summary["rows"]["pages"]["duplicate"] == 6
    found = {one.user["user_id"]: one for _, one in lists.values()}
    for user, (_, clicks, history) in fixture_prm_public.PAPER.items():
        assert list(clicks_of(found[user]).items()) == list(clicks.items())
        assert past_of(found[user]) == history


def test_nobody_with_four_pages_is_no_list_by_libreranks_rules(tmp_path):
    with pytest.raises(DataError, match="gives no list to store"):
        build("prm_public", fixture_prm_public.FILES, tmp_path, "librerank")
    assert not (tmp_path / "out").exists()
