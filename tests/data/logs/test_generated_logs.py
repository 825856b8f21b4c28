"""Generated raw files, built into lists: every row's end is the one that is known."""

import json
from collections import Counter, defaultdict

import pytest
import quick_beam  # noqa: F401

from psad_tf.data.build import build_dataset
from psad_tf.data.logs.generate import generate
from psad_tf.data.settings import LogSettings
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.feature_sets import feature_set

# Of the raw files with answers, the table's name in the summary.
TABLES = {
    "ad": {
        "raw_sample.csv": "raw_sample",
        "ad_feature.csv": "ad_feature",
        "user_profile.csv": "user_profile",
    },
    "avito": {
        "trainSearchStream.tsv": "trainSearchStream",
        "SearchInfo.tsv": "SearchInfo",
        "AdsInfo.tsv": "AdsInfo",
        "UserInfo.tsv": "UserInfo",
    },
}


def build(dataset, rows, folder, protocol="paper"):
    answers = generate(dataset, rows, folder / "raw", seed=4, bad_share=0.005)
    choice = LogSettings(protocol=protocol)
    summary = build_dataset(
        dataset, folder / "out", folder / "raw", max_bad_share=0.02, settings=choice
    )
    features = feature_set(dataset)
    stored = [
        one for split in SPLITS for one in read_lists(folder / "out" / split, features)
    ]
    return answers, summary, stored


@pytest.mark.parametrize("dataset", TABLES)
def test_rows_set_aside_are_those_that_were_put_there(dataset, tmp_path):
    answers, summary, stored = build(dataset, 6000, tmp_path)
    for file, table in TABLES[dataset].items():
        ends, answer = summary["rows"][table], answers[file]
        assert ends["read"] == answer["read"] == summary["files"][file]["read"]
        assert ends["read"] == sum(n for end, n in ends.items() if end != "read")
        found = {reason: ends.get(reason, 0) for reason in answer["set_aside"]}
        assert found == answer["set_aside"], file
    ends = summary["rows"][next(iter(TABLES[dataset].values()))]
    size = feature_set(dataset).list_length
    assert all(1 <= len(one.candidates) <= size for one in stored)
    candidates = sum(len(one.candidates) for one in stored)
    assert candidates == sum(ends.get(split, 0) for split in SPLITS) > 100
    assert len(stored) == sum(summary["lists"].get(split, 0) for split in SPLITS)


def pages_of(folder):
    """User → clicked items of each page, in the files' order; by plain loops."""
    found = defaultdict(list)
    for path in sorted(folder.iterdir()):
        for line in path.read_text().splitlines() if "part" in path.name else ():
            fields = line.split("|")
            try:
                codes, labels = json.loads(fields[2]), json.loads(fields[5])
                json.loads(fields[1])
            except (ValueError, IndexError):
                continue
            if set(labels) <= {0, 1}:
                pairs = zip(codes, labels, strict=True)
                clicked = [str(code[0]) for code, label in pairs if label]
                found[fields[0]].append(clicked)
    return found


def test_prm_public_by_libreranks_rules(tmp_path):
    """Users with more than three pages; the newest with a click is the list, and up to
    thirty clicks before it the history."""
    answers, summary, stored = build("prm_public", 600, tmp_path, "librerank")
    pages = pages_of(tmp_path / "raw")
    expected = {}
    for user, of_user in pages.items():
        newest = max((n for n, page in enumerate(of_user) if page), default=None)
        if len(of_user) > 3 and newest is not None:
            past = [item for page in of_user[:newest] for item in page]
            expected[user] = set(of_user[newest]), past[-30:]
    assert len(stored) > 5
    for one in stored:
        clicked, past = expected[one.user["user_id"]]
        pairs = zip(one.candidates, one.labels, strict=True)
        assert {item["item_id"] for item, label in pairs if label} == clicked
        assert [item["item_id"] for item in one.history] == past
        assert len(one.candidates) == 30
    by_fate = Counter(summary["lists"])
    assert by_fate.total() == len(expected)
    ends = summary["rows"]["pages"]
    left = sum(answer["left"] for name, answer in answers.items() if "part" in name)
    bad = sum(ends.get(reason, 0) for reason in ("wrong_columns", "bad_json"))
    assert ends["read"] == 30 * left + bad
