"""The load test: nothing is hidden, nothing is lost, and the report says what was."""

import asyncio
import json

import grpc
import numpy as np
import pytest
from fake_server import answer, fake_server
from serving_lists import FEATURES

from psad_tf import cli
from psad_tf.bench.report_run import Run
from psad_tf.errors import InputError
from serving import load_report, loadtest
from serving.load_generator import Load, closed_loop, open_loop
from serving.load_requests import drawn_lists, lists_of_file, requests_of
from serving.messages import PredictRequest

RUN = Run("psad loadtest", "a server", "a host", {"python": "3"}, "today")


class Refused(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.RESOURCE_EXHAUSTED


def one_at_a_time(seconds):
    """A server that works on one request at a time."""
    lock = asyncio.Lock()

    async def call(request):
        async with lock:
            await asyncio.sleep(seconds)

    return call


def test_waiting_is_not_hidden_when_more_is_offered_than_can_be_answered():
    random = np.random.default_rng(0)
    queued = asyncio.run(
        open_loop(one_at_a_time(0.02), [b""], rate=100, seconds=1, random=random)
    )
    alone = asyncio.run(closed_loop(one_at_a_time(0.02), [b""], 1, seconds=0.5))

    # Some 100 requests that take 20 ms each: the last one is done after 2 s.
    count = queued.codes["OK"]
    assert 70 < count < 130
    assert queued.seconds >= 0.02 * count
    assert queued.times.get_max_value() / 1e6 > 0.02 * count - 1.1
    assert alone.times.get_value_at_percentile(50) / 1e6 < 0.1
    assert queued.summary(4)["lists_a_second"] == pytest.approx(
        4 * count / queued.seconds
    )


def test_requests_are_sent_at_the_times_that_were_drawn():
    sent = []

    async def call(request):
        sent.append(request)

    random = np.random.default_rng(3)
    gaps = np.random.default_rng(3).exponential(1 / 200, 1000)
    load = asyncio.run(open_loop(call, [b"a", b"b"], 200, 0.5, random))

    expected = int((np.cumsum(gaps) < 0.5).sum())
    assert len(sent) == load.codes["OK"] == expected
    assert sent[:3] == [b"a", b"b", b"a"]
    assert 0.4 < load.seconds < 2


def test_calls_that_fail_are_counted_and_have_no_time():
    async def call(request):
        raise Refused

    load = asyncio.run(closed_loop(call, [b""], 2, seconds=0.01))
    found = load.summary(1)
    assert found["codes"].keys() == {"RESOURCE_EXHAUSTED"}
    assert found["requests"] >= 2 and found["answered"] == 0
    assert "p50" not in found


def test_times_are_those_of_the_histogram():
    load = Load(None, seconds=2.0)
    for i in range(1, 1001):
        load.note("OK", i / 1000)
    found = load.summary(3)
    assert found["p50"] == pytest.approx(500, rel=2e-3)
    assert found["p99.9"] == pytest.approx(999, rel=2e-3)
    assert found["max"] == pytest.approx(1000, rel=2e-3)
    assert found["answered"] == 500 and found["lists_a_second"] == 1500


def test_drawn_lists_have_the_size_and_follow_the_seed():
    first, again, other = (drawn_lists(FEATURES, 3, 5, 2, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert {(len(x.candidates), len(x.history)) for x in first} == {(5, 2)}
    with pytest.raises(InputError, match="--candidates=999: movielens_100k has 1 to"):
        drawn_lists(FEATURES, 1, 999, 0)


def test_requests_hold_the_lists_in_turn():
    lists = drawn_lists(FEATURES, 3, 4, 0)
    made = requests_of(lists, FEATURES, "m", "serving_default", size=2, count=3)
    parsed = [PredictRequest.FromString(request) for request in made]
    assert {r.model_spec.name for r in parsed} == {"m"}
    examples = [e for r in parsed for e in r.inputs["examples"].string_val]
    assert examples[:3] == examples[3:] and len({*examples[:3]}) == 3
    (packed,) = requests_of(lists, FEATURES, "m", "rank", size=2, count=1)
    shape = PredictRequest.FromString(packed).inputs["candidate_text"].tensor_shape
    assert [d.size for d in shape.dim][:2] == [2, 4]


def test_a_file_of_requests_is_checked_line_by_line(tmp_path):
    file = tmp_path / "requests.jsonl"
    line = json.dumps({"user": {}, "candidates": [{}]})
    file.write_text(f"{line}\n{line}\n")
    assert len(lists_of_file(file)) == 2
    file.write_text(f"{line}\n[]\n")
    with pytest.raises(InputError, match="line 2: the request is no JSON object"):
        lists_of_file(file)
    file.write_text("")
    with pytest.raises(InputError, match="is empty; give one request a line"):
        lists_of_file(file)
    with pytest.raises(InputError, match="No such file"):
        lists_of_file(tmp_path / "none")


@pytest.fixture(scope="module")
def found():
    """A whole load test of a server that answers at once."""
    with fake_server(answer([[0, 1, 2]])) as (target, calls):
        test = loadtest.LoadTest(
            target, FEATURES, candidates=3, history=1, seconds=0.2, in_flight=(1, 3)
        )
        result = loadtest.run(test)
        asked = {"size": 1, "candidates": 3, "history": 1, "signature": "rank"}
        return asked | result, len(calls)


def test_every_request_that_came_is_counted(found):
    result, came = found
    loads = [result["idle"], *result["closed"], *result["open"]]
    probes = 64
    assert sum(load["requests"] for load in loads) + probes == came
    assert all(load["codes"] == {"OK": load["requests"]} for load in loads)
    assert [c["in_flight"] for c in result["closed"]] == [1, 3]
    assert result["capacity"] == max(c["answered"] for c in result["closed"])
    for share, load in zip(loadtest.SHARES, result["open"], strict=True):
        assert load["offered"] == pytest.approx(share * result["capacity"])
        assert load["p50"] <= load["p99"] <= load["max"]


def test_the_report_is_made_from_its_json(found, tmp_path):
    out = tmp_path / "report"
    load_report.write_loadtest(found[0], RUN, out)
    load_report.render_loadtest(out / "loadtest.json", tmp_path / "again")
    names = {p.name for p in out.iterdir()} - {"loadtest.json"}
    assert {"index.html", "loadtest.md"} < names and len(names) == 3
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
    text = (out / "loadtest.md").read_text()
    assert "| 25% |" in text and "requests without an answer" in text


def test_a_server_is_held_to_its_idle_latency_to_every_answer_and_to_its_graph():
    idle, ok = {"p50": 2.0}, {"requests": 10, "codes": {"OK": 10}}
    half = {"share": 0.5, "p99": 9.0, "requests": 5, "codes": {"OK": 4, "UNKNOWN": 1}}
    bare = [{"batch": 1, "lists_a_second": 50.0}, {"batch": 4, "lists_a_second": 100.0}]
    result = {"idle": idle, "closed": [ok], "open": [half], "bare": bare}
    made = load_report.checks(result | {"capacity": 30.0, "size": 3})
    assert [(c["value"], c["is_met"]) for c in made] == [
        (4.5, False),
        (1, False),
        (pytest.approx(0.9), True),
    ]


def test_a_server_that_is_not_there_is_named(capsys, tmp_path):
    given = ["loadtest", "--target", "127.0.0.1:1", "--out", str(tmp_path / "out")]
    assert cli.main(given) == cli.BAD_INPUT
    error = capsys.readouterr().err
    assert "--target=127.0.0.1:1 answers UNAVAILABLE" in error
    assert not (tmp_path / "out").exists()


def test_the_report_names_the_command_that_asks_the_same(tmp_path):
    with fake_server(answer([[0, 1, 2]])) as (target, _):
        given = ["loadtest", "--target", target, "--out", str(tmp_path / "out")]
        given += ["--candidates", "3", "--history", "1", "--seconds", "0.05"]
        assert cli.main(given) == 0
    written = json.loads((tmp_path / "out" / "loadtest.json").read_text())
    command = written["run"]["command"]
    assert command.startswith(f"psad loadtest --target {target} --dataset movielens-")
    assert "--candidates 3 --history 1" in command and "--seconds 0.05" in command
