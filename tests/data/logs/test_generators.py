"""What the generators say of their files is what plain loops over the lines find."""

import csv
import json
from collections import Counter

import pytest

from psad_tf import cli
from psad_tf.data.logs.generate import ANSWERS, generate
from psad_tf.errors import ConfigError

ROWS, BAD = 3000, 0.02


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder and answers by data set."""
    found = {}
    for name in ("ad", "prm_public", "avito"):
        folder = tmp_path_factory.mktemp(name) / "raw"
        found[name] = folder, generate(name, ROWS, folder, 5, BAD)
    return found


def lines_of(path, separator):
    """The header's names, and each line's fields."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter=separator, quoting=csv.QUOTE_NONE)
        header, *lines = rows
    return header, lines


def table(path, separator):
    """The usable lines of a table by their first field, and what was set aside."""
    header, lines = lines_of(path, separator)
    found, set_aside = {}, Counter()
    for fields in lines:
        if len(fields) != len(header):
            set_aside["wrong_columns"] += 1
        elif fields[0] in found:
            assert found[fields[0]] == fields  # a line that stands twice
            set_aside["duplicate"] += 1
        else:
            found[fields[0]] = fields
    return found, dict(set_aside)


def assert_answered(answer, read, set_aside, left):
    assert answer["read"] == read
    assert answer["set_aside"] == dict(set_aside)
    assert answer["left"] == left == read - sum(set_aside.values())


def test_ad(made):
    folder, answers = made["ad"]
    ads, ads_aside = table(folder / "ad_feature.csv", ",")
    users, users_aside = table(folder / "user_profile.csv", ",")
    for name, found, aside in (
        ("ad_feature.csv", ads, ads_aside),
        ("user_profile.csv", users, users_aside),
    ):
        read = len(found) + sum(aside.values())
        assert_answered(answers[name], read, aside, len(found))
    header, lines = lines_of(folder / "raw_sample.csv", ",")
    assert header == ["user", "time_stamp", "adgroup_id", "pid", "nonclk", "clk"]
    seen, aside, rows = set(), Counter(), []
    for fields in lines:
        if len(fields) != 6:
            aside["wrong_columns"] += 1
        elif not fields[1].isdigit():
            aside["bad_time"] += 1
        elif fields[5] not in "01":
            aside["bad_label"] += 1
        elif tuple(fields[:3]) in seen:
            aside["duplicate"] += 1
        else:
            seen.add(tuple(fields[:3]))
            if fields[2] in ads:
                rows.append(fields)
            else:
                aside["unknown_item"] += 1
    answer = answers["raw_sample.csv"]
    assert_answered(answer, ROWS, aside, len(rows))
    assert min(aside[reason] for reason in answer["set_aside"]) > 0
    assert answer["clicks"] == sum(int(fields[5]) for fields in rows)
    assert answer["users"] == len({fields[0] for fields in rows})
    assert answer["items"] == len({fields[2] for fields in rows})
    assert any(fields[0] not in users for fields in rows)
    bot = [fields for fields in rows if fields[0] == str(answers["bot"]["user"])]
    assert len(bot) == answers["bot"]["rows"]
    hot = [f for f in rows if f[2] == str(answers["hot_item"]["item"])]
    assert len(hot) == answers["hot_item"]["rows"]
    assert all(int(f[4]) + int(f[5]) == 1 for f in rows)


def test_quirks_of_ad(made):
    folder, _ = made["ad"]
    profile = (folder / "user_profile.csv").read_bytes()
    assert profile.split(b"\n")[0].endswith(b"new_user_class_level ")
    assert b",," in profile  # a blank pvalue_level
    ads, _ = table(folder / "ad_feature.csv", ",")
    assert any(fields[4] == "NULL" for fields in ads.values())
    assert all("." in fields[5] for fields in ads.values())
    # Eight days, from midnight in China on.
    _, lines = lines_of(folder / "raw_sample.csv", ",")
    times = [int(f[1]) for f in lines if len(f) == 6 and f[1].isdigit()]
    assert 1494000000 <= min(times) and max(times) < 1494000000 + 8 * 86400


def test_avito(made):
    folder, answers = made["avito"]
    ads, _ = table(folder / "AdsInfo.tsv", "\t")
    searches, _ = table(folder / "SearchInfo.tsv", "\t")
    users, _ = table(folder / "UserInfo.tsv", "\t")
    for name, found in (("AdsInfo", ads), ("SearchInfo", searches)):
        assert_answered(answers[f"{name}.tsv"], len(found), {}, len(found))
    _, lines = lines_of(folder / "trainSearchStream.tsv", "\t")
    seen, aside, clicks, left = set(), Counter(), 0, 0
    for fields in lines:
        if len(fields) != 6:
            reason = "wrong_columns"
        elif not fields[2].isdigit():
            reason = "bad_position"
        elif fields[0] == "":
            reason = "empty_request"
        elif fields[3] != "3":
            assert fields[4:] == ["", ""]
            reason = "no_label"
        elif fields[0] not in searches:
            reason = "unknown_request"
        elif tuple(fields[:2]) in seen:
            reason = "duplicate"
        else:
            seen.add(tuple(fields[:2]))
            reason = "" if fields[1] in ads else "unknown_item"
        aside[reason] += bool(reason)
        clicks += reason == "" and fields[5] == "1"
        left += reason == ""
    del aside[""]
    answer = answers["trainSearchStream.tsv"]
    assert_answered(answer, ROWS, aside, left)
    assert min(aside[reason] for reason in answer["set_aside"]) > 0
    assert answer["clicks"] == clicks > 0
    assert any(fields[3] not in users for fields in searches.values())
    assert any('"' in fields[5] for fields in searches.values())


def test_prm_public(made):
    folder, answers = made["prm_public"]
    for part, name in enumerate(("set1.train.txt.part1", "set1.train.txt.part2")):
        lines = (folder / name).read_text().splitlines()
        aside, profiles = Counter(), []
        for line in lines:
            fields = line.split("|")
            if len(fields) != 6:
                aside["wrong_columns"] += 1
                continue
            try:
                _, profile, codes, basic, optional, labels = map(json.loads, fields)
            except ValueError:
                aside["bad_json"] += 1
                continue
            assert [len(codes), len(basic), len(optional), len(labels)] == [30] * 4
            assert {len(row) for row in codes} == {5}
            assert len({row[0] for row in codes}) == 30
            assert {len(row) for row in basic} == {7}
            assert {len(row) for row in optional} == {12}
            aside["bad_label"] += not set(labels) <= {0.0, 1.0}
            profiles.append(profile)
        assert_answered(
            answers[name], ROWS // 2, aside, len(lines) - sum(aside.values())
        )
        assert any(None in profile for profile in profiles), part


def test_the_command_gives_equal_bytes_for_an_equal_seed(tmp_path, capsys):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        flags = ["--dataset=ad", "--rows=200", f"--seed={seed}"]
        assert cli.main(["data", "generate", f"--out={tmp_path / name}", *flags]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told == json.loads((tmp_path / name / ANSWERS).read_text())
    a, b, c = ((tmp_path / n / "raw_sample.csv").read_bytes() for n in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dataset": "movielens-100k"}, "dataset='movielens-100k' has no generator"),
        ({"rows": 99}, "rows=99; give 100 or more"),
        ({"bad_share": 0.5}, "bad_share=0.5; give a share from 0 to 0.2"),
    ],
)
def test_what_cannot_be_generated_is_refused(change, told, tmp_path):
    arguments = {"dataset": "ad", "rows": 100, "out": tmp_path / "out"} | change
    with pytest.raises(ConfigError, match=told):
        generate(**arguments)
    assert not (tmp_path / "out").exists()
