"""`psad model latency`: counts what it asked, and says what it could not."""

import json
import threading

import pytest

from psad_tf.cli import BAD_INPUT, main


def test_so_many_requests_are_in_flight_and_each_is_counted():
    from psad_tf.export_latency import hold

    now, most, lock = set(), [], threading.Lock()
    all_there = threading.Barrier(3)

    def ask():
        with lock:
            now.add(threading.get_ident())
            most.append(len(now))
        if len(most) <= 3:
            all_there.wait(30)
        with lock:
            now.remove(threading.get_ident())

    took, shed, seconds = hold(ask, 3, 0.05)
    assert max(most) == 3 and shed == 0
    assert len(took) == len(most) and seconds >= 0.05
    assert 0 <= min(took) <= max(took) <= seconds


def test_a_full_queue_is_counted_apart_and_any_other_error_is_raised():
    import grpc

    from psad_tf.export_latency import hold
    from serving.fault import Fault

    calls = []

    def shedding():
        calls.append(1)
        if len(calls) % 2:
            raise Fault(grpc.StatusCode.UNAVAILABLE, "full")

    took, shed, _ = hold(shedding, 1, 0.02)
    assert len(took) + shed == len(calls) and abs(len(took) - shed) <= 1

    def broken():
        raise Fault(grpc.StatusCode.INTERNAL, "broken")

    with pytest.raises(Fault, match="broken"):
        hold(broken, 2, 5)


def test_the_command_measures_models_and_writes_what_it_prints(
    exported, tmp_path, capsys
):
    out = tmp_path / "latency"
    line = ["model", "latency", "--model", str(exported.path), "--out", str(out)]
    assert main([*line, "--in-flight", "1", "3", "--seconds", "0.1"]) == 0
    content = json.loads((out / "latency.json").read_text())
    printed = capsys.readouterr().out
    assert [row["in_flight"] for row in content["rows"]] == [1, 3]
    for row in content["rows"]:
        assert row["model"] == str(exported.path)
        assert row["serving"]["batching"] is False
        assert 0 < row["p50"] <= row["p99"]
        assert row["answered"] >= 3 * row["in_flight"] and row["shed"] == 0
        assert row["lists_per_second"] * row["p50"] < 1000 * row["in_flight"] * 2
        assert f"| {row['in_flight']} | {row['lists_per_second']:,.0f} |" in printed
    assert (out / "latency.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    "words, message",
    [
        (["--model", "nowhere"], "--model=nowhere: no saved_model.pb there"),
        (["--signature", "zz"], "--signature=zz: .* has .*'rank', 'serving_default'"),
        (["--seconds", "0"], "--seconds=0.0 must be positive"),
    ],
)
def test_bad_input_is_named(words, message, exported, tmp_path, capsys):
    import re

    line = ["--model", str(exported.path), "--out", str(tmp_path / "out")]
    assert main(["model", "latency", *line, *words]) == BAD_INPUT
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
