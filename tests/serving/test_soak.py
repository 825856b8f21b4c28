"""The soak: what is sent, answered, wrong or lost is told by the slice."""

import json
import os
import subprocess
import sys

import grpc
import pytest
from fake_servable import make
from fake_server import answer, fake_server
from serving_lists import FEATURES

from psad_tf import cli
from psad_tf.bench.report_run import Run
from psad_tf.errors import InputError
from serving import soak, soak_report
from serving.loadtest import LoadTest
from serving.republish import Republisher
from serving.resident import resident_bytes

RUN = Run("psad loadtest --soak 1h", "a server", "a host", {"python": "3"}, "today")
ASKED = {"size": 1, "candidates": 3, "history": 1, "signature": "rank"}
MIB = 2**20
PROBES = 64  # requests that each soak begins with


def soaked(target, seconds=0.6, **given):
    test = LoadTest(target, FEATURES, candidates=3, history=1)
    return soak.run(soak.Soak(test, seconds, 100.0, slice_seconds=0.2, **given))


@pytest.fixture(scope="module")
def found():
    """(a whole soak of a server that answers at once, the requests that came)"""
    with fake_server(answer([[0, 1, 2]], [[3, 2, 1]])) as (target, calls):
        made = soaked(target, pid=os.getpid())
        return made, len(calls)


def test_every_request_is_in_one_slice(found):
    made, came = found
    slices = made["slices"]
    assert [row["minute"] * 60 for row in slices] == pytest.approx([0.2, 0.4, 0.6])
    assert sum(row["requests"] for row in slices) == came - PROBES
    assert 20 < came - PROBES < 130  # a hundred a second
    assert all(row["codes"] == {"OK": row["requests"]} for row in slices)
    assert all(0 < row["p50"] <= row["p99"] <= row["max"] for row in slices)
    assert {v for row in slices for v in row["versions"]} == {"3"}
    assert all(row["wrong"] == 0 and row["memory"] > 10 * MIB for row in slices)
    assert (made["rate"], made["capacity"], made["published"]) == (100.0, None, [])


def test_answers_unlike_the_first_are_counted_as_wrong():
    right, other = answer([[0, 1, 2]], [[3, 2, 1]]), answer([[0, 1, 2]], [[3, 2, 0]])
    with fake_server(*[right] * (PROBES + 5), other, right) as (target, _):
        slices = soaked(target)["slices"]
    assert sum(row["wrong"] for row in slices) == 1


def test_answers_without_scores_are_wrong_and_end_nothing():
    right, none = answer([[0, 1, 2]]), answer([[0, 1, 2]])
    del none.outputs["scores"]
    with fake_server(*[right] * (PROBES + 5), none, none, right) as (target, _):
        slices = soaked(target)["slices"]
    assert sum(row["wrong"] for row in slices) == 2


def test_versions_are_told_of_the_slices_they_answered_in():
    old, new = answer([[0, 1, 2]], version=3), answer([[0, 1, 2]], version=4)
    with fake_server(*[old] * (PROBES + 10), new) as (target, _):
        slices = soaked(target)["slices"]
    counted = {"3": 0, "4": 0}
    for row in slices:
        for version, number in row["versions"].items():
            counted[version] += number
    assert counted["3"] == 10 and counted["4"] > 10
    assert list(slices[-1]["versions"]) == ["4"]


def test_requests_without_an_answer_are_counted_by_code():
    right = answer([[0, 1, 2]])
    shed = grpc.StatusCode.RESOURCE_EXHAUSTED
    with fake_server(*[right] * PROBES, shed, shed, right) as (target, _):
        made = soaked(target)
    codes = [row["codes"].get("RESOURCE_EXHAUSTED", 0) for row in made["slices"]]
    assert sum(codes) == 2
    lost = soak_report.checks(made)[0]
    assert (lost["value"], lost["is_met"]) == (2, False)


def test_half_of_what_was_measured_is_offered_where_no_rate_is_given():
    with fake_server(answer([[0, 1, 2]])) as (target, _):
        test = LoadTest(
            target, FEATURES, candidates=3, history=1, seconds=0.1, in_flight=(1, 2)
        )
        made = soak.run(soak.Soak(test, 0.2, slice_seconds=0.2))
    assert made["rate"] == made["capacity"] / 2 > 0
    assert made["idle"]["p50"] > 0


def test_what_cannot_be_followed_is_told_before_anything_is_sent(tmp_path):
    with fake_server(answer([[0, 1, 2]])) as (target, calls):
        with pytest.raises(InputError, match="--pid=4194305: there is no such"):
            soaked(target, pid=4194305)  # past the most that Linux gives
        with pytest.raises(InputError, match="--republish=.*: no version there"):
            soaked(target, republish=tmp_path)
    assert calls == []
    with pytest.raises(InputError, match="--target=127.0.0.1:1: "):
        soaked("127.0.0.1:1")


def test_publishing_anew_keeps_what_was_there_and_the_two_newest(tmp_path):
    make(tmp_path, 7, "weights")
    publisher = Republisher(tmp_path, 1.0)
    for _ in range(4):
        publisher.publish()
    assert publisher.published == [8, 9, 10, 11]
    assert {path.name for path in tmp_path.iterdir()} == {"7", "10", "11"}
    assert (tmp_path / "11" / "weights").read_text() == "x"


def test_versions_are_published_while_it_runs_and_a_failure_ends_it(tmp_path):
    make(tmp_path, 1)
    with fake_server(answer([[0, 1, 2]])) as (target, _):
        made = soaked(target, republish=tmp_path, republish_seconds=0.1)
        assert made["published"][:3] == [2, 3, 4]
        (tmp_path / f".soak-{made['published'][-1] + 1}").mkdir()
        with pytest.raises(FileExistsError):
            soaked(target, republish=tmp_path, republish_seconds=0.1)


def test_memory_is_that_of_a_process_and_of_those_it_started():
    held = "x = b'x' * 60_000_000; print('held', flush=True); input()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", code], **pipes)
    try:
        assert parent.stdout.readline() == b"held\n"
        assert 60_000_000 < resident_bytes(parent.pid) < 160_000_000
    finally:
        parent.communicate(b"\n")
    assert resident_bytes(parent.pid) is None


def row(minute, memory, p99=4.0, wrong=0):
    times = {"p50": 1.0, "p99": p99, "p99.9": 5.0, "max": 6.0}
    return times | {
        "minute": minute,
        "requests": 10,
        "codes": {"OK": 10},
        "versions": {str(minute): 10},
        "wrong": wrong,
        "memory": memory,
    }


def test_a_server_is_held_to_its_answers_its_memory_and_its_tail():
    memory = [100, 200, *[210] * 17, 230]  # settles within the first tenth
    rows = [row(n, m * MIB) for n, m in enumerate(memory, 1)]
    rows[3]["wrong"] = 2
    made = soak_report.checks({"slices": rows, "idle": {"p50": 0.8}})
    assert [(c["value"], c["is_met"]) for c in made] == [
        (0, True),
        (2, False),
        (pytest.approx(230 / 210), True),
        (pytest.approx(5.0), False),
    ]
    rows[-1]["memory"] = None  # the process is gone
    made = soak_report.checks({"slices": rows, "idle": None})
    assert len(made) == 2


def test_the_report_is_made_from_its_json(found, tmp_path):
    out = tmp_path / "report"
    soak_report.write_soak(ASKED | found[0], RUN, out)
    soak_report.render_soak(out / "soak.json", tmp_path / "again")
    names = {p.name for p in out.iterdir()} - {"soak.json"}
    assert {"index.html", "soak.md"} < names and len(names) == 4
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
    text = (out / "soak.md").read_text()
    assert "100 a second" in text and "memory at the end" in text


def test_the_command_asks_the_same_again(tmp_path, capsys):
    with fake_server(answer([[0, 1, 2]])) as (target, _):
        given = ["loadtest", "--target", target, "--out", str(tmp_path / "out")]
        given += ["--candidates", "3", "--history", "1", "--soak", "0.2s"]
        assert cli.main([*given, "--rate", "50", "--pid", str(os.getpid())]) == 0
    written = json.loads((tmp_path / "out" / "soak.json").read_text())
    assert written["seconds"] == 0.2 and len(written["slices"]) == 1
    assert "--soak 0.2s --rate 50.0 --pid" in written["run"]["command"]
    assert "requests without an answer: 0 (limit 0) yes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--soak", "1d"], "'1d': give a time such as 90s or 1h"),
        (["--soak", "0s"], "'0s': give a time"),
        (["--rate", "5"], "--rate goes with --soak"),
        (["--soak", "1m", "--model", "."], "--model goes without --soak"),
    ],
)
def test_options_that_make_no_sense_are_refused(given, told, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["loadtest", "--target", "x", "--out", "y", *given])
    assert told in capsys.readouterr().err
