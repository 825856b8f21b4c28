"""Servers in processes of their own: start, drain, failure, and the real binary."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from raw_client import predict_request
from serving_lists import FEATURES, ranking_list

from serving import launch, server
from serving.client import RerankClient
from serving.launch import ServerError, running_server
from serving.messages import PREDICT, PredictResponse
from serving.option_error import OptionError
from serving.options import Options
from serving.tensors import read_tensor

SLOW = np.array(500_000, np.int32)  # seconds of work


def test_a_server_answers_and_ends_with_what_is_under_way(base, monkeypatch):
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))  # no real binary
    codes, stop = [], launch._stop
    monkeypatch.setattr(launch, "_stop", lambda one: codes.append(stop(one)) or 0)
    with running_server(base) as target:
        with RerankClient(target, FEATURES, timeout=10) as client:
            answer = client.rerank(ranking_list([1, 2]))
        assert answer.item_ids == ("i1", "i0")
        channel = grpc.insecure_channel(target)
        ask = channel.unary_unary(
            PREDICT, response_deserializer=PredictResponse.FromString
        )
        request = predict_request("slow", {"steps": SLOW}).SerializeToString()
        call = ask.future(request, timeout=60)
        time.sleep(0.2)
        assert not call.done()
        # Leaving sends SIGTERM.
    assert read_tensor(call.result().outputs["steps"]) == SLOW
    channel.close()
    assert codes == [0]
    with RerankClient(target, FEATURES, fallback=True) as client:
        assert client.rerank(ranking_list([1, 2])).is_fallback


@pytest.fixture
def signals():
    """Puts back the handlers that a server installs."""
    handlers = {number: signal.getsignal(number) for number in launch._STOP_SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_model_that_does_not_load_exits_with_3(base, capsys, signals):
    (base / "1" / "saved_model.pb").write_bytes(b"\xff")
    assert server.main([f"--model_base_path={base}", "--port=0"]) == 3
    assert "saved_model.pb" in capsys.readouterr().err


def test_a_server_that_ends_before_it_is_ready_is_told_with_its_log(binary, base):
    binary("echo error: no model; exit 3")
    with pytest.raises(ServerError, match="it exited with 3\nerror: no model"):
        with running_server(base):
            pytest.fail("the server must not become ready")


@pytest.fixture
def binary(tmp_path, monkeypatch):
    """A stand-in on PATH for the real binary, as a function of its script."""

    def make(script):
        path = tmp_path / "bin" / launch.BINARY
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
        return path

    return make


def serve_in_child(base):
    command = [sys.executable, "-m", "serving.launch", f"--model_base_path={base}"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_binary_is_used_where_it_is_there(binary, base, tmp_path):
    binary(f'echo "$@" > {tmp_path}/flags')
    with serve_in_child(base) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == "starting tensorflow_model_server\n"
    assert "listens on all addresses" in err
    flags = (tmp_path / "flags").read_text().split()
    assert {f"--model_base_path={base}", "--port=8500", "--model_name=psad"} < {*flags}
    own = (
        "--host",
        "--max_queued_requests",
        "--max_request_rows",
    )  # flags that the binary does not know
    assert not any(flag.startswith(own) for flag in flags)


def test_stopping_the_binary_is_a_clean_stop(binary, base):
    binary("echo up; exec sleep 60")  # dies of the signal, as the real one does
    with serve_in_child(base) as process:
        assert process.stdout.readline() == "starting tensorflow_model_server\n"
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.wait(30) == 0


def test_a_signal_during_the_start_reaches_the_server(
    binary, base, monkeypatch, signals
):
    binary("exec sleep 60")
    start = subprocess.Popen

    def interrupted(command):
        os.kill(os.getpid(), signal.SIGTERM)
        return start(command)

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert launch.serve(Options(model_base_path=base)) == 0


def test_the_binarys_failure_is_passed_on(binary, base):
    binary("exit 7")
    with serve_in_child(base) as process:
        process.communicate(timeout=30)
    assert process.returncode == 7


def test_a_server_that_never_answers_is_given_up(binary, base):
    binary("echo its log; exec sleep 60")
    with pytest.raises(ServerError, match="UNAVAILABLE(.|\n)*its log"):
        with running_server(base, start_seconds=1.0):
            pytest.fail("the server must not become ready")


def test_a_server_that_dies_is_told_whatever_else_failed(binary, base, monkeypatch):
    binary("echo out of memory; exit 9")
    monkeypatch.setattr(launch, "_wait", wait_for_death)
    with pytest.raises(ServerError, match="exited with 9\nout of memory") as raised:
        with running_server(base):
            raise KeyError("the client's view")
    assert isinstance(raised.value.__context__, KeyError)


def wait_for_death(process, *ignored):
    process.wait()
    return launch.Readiness(True)


def test_bad_options_exit_with_3_and_a_remedy(tmp_path, capsys):
    assert launch.serve(Options(model_base_path=tmp_path / "none")) == 3
    assert "give the folder whose numbered folders" in capsys.readouterr().err


@pytest.mark.timeout(30)  # else it waits for ever
def test_a_signal_that_another_thread_takes_in_stops_the_server(base, signals):
    one = server.Server(Options(port=0, model_base_path=base))
    signal.signal(signal.SIGTERM, lambda *_: one.interrupt())

    def take_in():
        time.sleep(0.2)  # the main thread waits by then
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    threading.Thread(target=take_in).start()
    one.wait()
    assert one._store.wait_until_stopped(0)
    one.stop()


def test_calls_that_never_end_do_not_keep_the_server(base, monkeypatch, caplog):
    one = server.Server(Options(port=0, model_base_path=base))
    never = SimpleNamespace(stop=lambda seconds: threading.Event())
    monkeypatch.setattr(one, "_grpc", never)
    monkeypatch.setattr(server, "_DRAIN_SECONDS", 0.1)
    monkeypatch.setattr(server, "_SPARE_SECONDS", 0.1)
    one.stop()
    assert "some calls neither ended nor could be cancelled" in caplog.text


def test_a_port_in_use_is_told(base, target):
    port = int(target.rpartition(":")[2])
    second = server.Server(Options(port=port, model_base_path=base))
    with pytest.raises(OptionError, match="choose another --port or --host"):
        second.start()
    second.stop()
