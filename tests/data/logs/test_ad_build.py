"""Ad from raw files to stored lists, with Beam: rows accounted for, equal bytes."""

import gzip
import json
import random
import shutil
from pathlib import Path

import pytest
import quick_beam  # noqa: F401
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from psad_tf.data.build import build_dataset
from psad_tf.data.errors import DataError
from psad_tf.data.logs import plan as plans
from psad_tf.data.logs.generate import ANSWERS, generate
from psad_tf.data.settings import LogSettings
from psad_tf.data.stored_lists import read_lists
from psad_tf.data.windows import SPLITS
from psad_tf.errors import ConfigError
from psad_tf.feature_sets.ad import AD

RAW = "raw_sample.csv"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """6,000 made-up rows: malformed and double lines, unknown ads, users with none."""
    folder = tmp_path_factory.mktemp("ad") / "raw"
    generate("ad", 6000, folder, seed=2, bad_share=0.005)
    return folder


@pytest.fixture(scope="module", autouse=True)
def several_buckets():
    """Small buckets: else a small log is a single one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "BUCKET_BYTES", 60_000)
        yield


def build(raw, out, workers=1, **settings):
    settings = LogSettings(**settings)
    return build_dataset("ad", out, raw, 3, 0.02, None, workers, settings)


def contents(out: Path) -> dict:
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def paper(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("paper") / "out"
    return build(raw, out), out


@pytest.fixture(scope="module")
def librerank(raw, tmp_path_factory):
    out = tmp_path_factory.mktemp("librerank") / "out"
    return build(raw, out, protocol="librerank"), out


@pytest.mark.parametrize("built", ["paper", "librerank"])
def test_every_row_of_every_table_has_one_fate(built, raw, request):
    summary, out = request.getfixturevalue(built)
    answers = json.loads((raw / ANSWERS).read_text())
    for table, fates in summary["rows"].items():
        told = dict(fates)
        read = told.pop("read")
        known = answers[f"{table}.csv"]
        assert read == known["read"] == sum(told.values())
        for reason, count in known["set_aside"].items():
            assert told.get(reason, 0) == count
        file = summary["files"][f"{table}.csv"]
        assert file["read"] == read
        assert all(known["set_aside"][r] == n for r, n in file["set_aside"].items())
    assert summary["rows"]["user_profile"]["used"] > 0
    for split in SPLITS:
        lists = list(read_lists(out / split, AD))
        assert len(lists) == summary["lists"][split] > 0
        candidates = sum(len(one.candidates) for one in lists)
        assert candidates == summary["rows"]["raw_sample"][split]


def test_the_papers_lists(paper):
    summary, out = paper
    bounds = ["first_stage_end", "train_end", "validation_end"]
    cuts = [*(summary[name] for name in bounds), 10**12]
    seen = set()
    for split, begin, end in zip(SPLITS, cuts, cuts[1:], strict=False):
        for one in read_lists(out / split, AD):
            assert begin <= one.timestamp < end
            assert 3 <= len(one.candidates) <= 20 and len(one.history) <= 50
            assert 0 < sum(one.labels) < len(one.labels)
            scores = [item["initial_score"] for item in one.candidates]
            assert scores == sorted(scores, reverse=True)
            hours = [item["log_hours_ago"] for item in one.history]
            assert hours == sorted(hours, reverse=True) and min(hours, default=1) > 0
            seen.add(one.request_id)
    assert len(seen) == sum(summary["lists"][split] for split in SPLITS)


def test_libreranks_lists(librerank):
    summary, out = librerank
    assert "train_end" not in summary
    users = [
        one.user["user_id"]
        for split in SPLITS
        for one in read_lists(out / split, AD)
        if len(one.candidates) <= 10
    ]
    stored = [summary["lists"][split] for split in SPLITS]
    assert len(users) == len(set(users)) == sum(stored)
    total = sum(summary["lists"].values())
    shares = [number / total for number in stored]
    # 45, 5 and 10 per cent of users; the bounds are about three deviations.
    assert abs(shares[0] - 0.45) < 0.1
    assert abs(shares[1] - 0.05) < 0.05
    assert abs(shares[2] - 0.10) < 0.06


@pytest.fixture(scope="module")
def in_four(raw, tmp_path_factory):
    """Built in four buckets, from small ranges."""
    out = tmp_path_factory.mktemp("four") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "RANGE_BYTES", 10_000)
        patch.setattr(plans, "bucket_count", lambda size, bucket_bytes: 4)
        build(raw, out)
    return out


def test_workers_cuts_packing_and_order_leave_no_trace(raw, in_four, tmp_path):
    """The same bytes from two threads, from other ranges, parts and orders of lines."""
    header, *lines = (raw / RAW).read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    other = shutil.copytree(raw, tmp_path / "raw")
    (other / RAW).unlink()
    half = len(lines) // 2
    (other / f"{RAW}.part1").write_bytes(header + b"".join(lines[:half]))
    packed = gzip.compress(b"".join(lines[half:]))
    (other / f"{RAW}.part2.gz").write_bytes(packed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "RANGE_BYTES", 30_000)
        # Of the packed part the size is guessed, so the number of buckets is given.
        patch.setattr(plans, "bucket_count", lambda size, bucket_bytes: 4)
        threads = ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
        build(other, tmp_path / "out", beam_args=threads)
    first, second = contents(in_four), contents(tmp_path / "out")
    lists = [path for path in first if path.name.endswith(".gz")]
    assert len(lists) == 3 * 4
    assert all(first[path] == second[path] for path in lists)


def test_the_quarantine_names_each_line(raw, in_four):
    rows = (in_four / "quarantine.tsv").read_text().splitlines()
    header, *found = [row.split("\t") for row in rows]
    assert header == ["file", "line", "reason", "text"] and len(found) > 30
    for file, line, _, text in found:
        lines = (raw / file).read_text().split("\n")
        assert lines[int(line) - 1].rstrip("\r") == json.loads(text)


def test_a_salt_hides_the_users_and_itself(raw, paper, tmp_path):
    secret = "not to be found anywhere"
    salt = tmp_path / "salt"
    salt.write_text(secret)
    summary = build(raw, tmp_path / "out", user_salt=str(salt))
    assert summary["rows"] == paper[0]["rows"]
    plain = {one.user["user_id"] for one in read_lists(paper[1] / "train", AD)}
    hidden = {one.user["user_id"] for one in read_lists(tmp_path / "out/train", AD)}
    assert len(hidden) == len(plain) and not hidden & plain
    assert all(len(user) == 32 for user in hidden)
    for path, content in contents(tmp_path / "out").items():
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert secret.encode() not in content
    text = (tmp_path / "out" / "quarantine.tsv").read_text()
    assert {row.split("\t")[3] for row in text.splitlines()[1:]} == {'""'}


def test_a_users_rows_can_be_limited(raw, paper, tmp_path):
    work = tmp_path / "work"
    summary = build(raw, tmp_path / "out", max_user_rows=20, work=str(work))
    assert not list(work.iterdir())  # files between stages are removed
    rows = summary["rows"]["raw_sample"]
    assert rows["over_user_limit"] > 0
    assert rows["read"] == paper[0]["rows"]["raw_sample"]["read"]
    assert all(
        one.user["user_row_count"] < 20
        for one in read_lists(tmp_path / "out" / "test", AD)
    )


def test_a_failed_run_leaves_nothing(raw, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"lines are unusable .*max_bad_share=0.001"):
        build_dataset("ad", out, raw, max_bad_share=0.001)
    work = tmp_path / "work"
    with pytest.raises(ConfigError, match="protocol='drr': ad has paper, librerank"):
        build(raw, out, protocol="drr", work=str(work))
    with pytest.raises(ConfigError, match="can't be fetched.*name their folder"):
        build_dataset("ad", out)
    with pytest.raises(DataError, match="no file named raw_sample.csv"):
        build(tmp_path, out, work=str(work))
    assert not out.exists() and not list(tmp_path.rglob("work-*"))


def test_settings_of_logs_are_for_logs():
    with pytest.raises(ConfigError, match="protocol='paper': movielens_100k is not"):
        build_dataset("movielens-100k", "out", settings=LogSettings("paper"))


def test_a_portable_job_server_gives_the_same_bytes(raw, paper, tmp_path):
    """What Flink and Spark are asked through, here with Beam's own server."""
    server = LocalJobServicer(str(tmp_path / "staging"))
    port = server.start_grpc_server(0)
    where = (f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK")
    try:
        build(raw, tmp_path / "out", beam_args=("--runner=PortableRunner", *where))
    finally:
        server.stop()
    one, other = contents(paper[1]), contents(tmp_path / "out")
    one.pop(Path("profile.json"))
    assert all(other[path] == content for path, content in one.items())


def test_later_clicks_change_no_earlier_list(raw, paper, tmp_path):
    """Through the whole build: cuts, initial ranker, rates, histories."""
    summary, out = paper
    lines = (raw / RAW).read_text().split("\n")
    fields = [line.split(",") for line in lines]
    # A user without any click would come in by the first one.
    clickers = {one[0] for one in fields if one[-1] == "1"}
    moment, changed = summary["train_end"], 0
    for place, one in enumerate(fields):
        is_late = len(one) == 6 and one[1].isdigit() and int(one[1]) >= moment
        if is_late and one[0] in clickers and one[5] == "0":
            lines[place] = ",".join([*one[:4], "0", "1"])
            changed += 1
    other = shutil.copytree(raw, tmp_path / "raw")
    (other / RAW).write_text("\n".join(lines))
    later = build(other, tmp_path / "out")
    assert changed > 100 and later["train_end"] == moment
    assert later["lists"]["test"] != summary["lists"]["test"]
    for path, content in contents(out).items():
        if path.parts[0] == "train":
            assert (tmp_path / "out" / path).read_bytes() == content
