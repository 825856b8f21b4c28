"""Starts a model server: TensorFlow Serving's binary, or the embedded one without it.

    python -m serving.launch --model_base_path=/models/psad

Takes the flags of `serving.server`.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import FeatureSet
from serving.leash import leashed
from serving.option_error import BAD_INPUT, OptionError
from serving.options import OWN_FLAGS, Options, parse
from serving.probe import Readiness, probe

BINARY = "tensorflow_model_server"
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_DRAIN_SECONDS = 40  # longer than the embedded server gives to requests under way
_TAIL_LINES = 30


class ServerError(RuntimeError):
    """A server did not become ready, or failed; the message ends with its log."""


def command(options: Options) -> list[str]:
    """The command line of the server that is there for these options."""
    binary = shutil.which(BINARY)
    if binary is None:
        return [sys.executable, "-m", "serving.server", *options.flags()]
    own = tuple(f"--{name}=" for name in OWN_FLAGS)
    flags = [flag for flag in options.flags() if not flag.startswith(own)]
    return [binary, *flags]


def serve(options: Options) -> int:
    """Runs a server in the foreground until it is told to stop.

    Returns:
        0 after a clean stop, 3 for options that cannot work (the remedy is on stderr),
        else the server's exit code.
    """
    try:
        options.check()
    except OptionError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    line = command(options)
    is_binary = line[0] != sys.executable
    print(f"starting {BINARY if is_binary else 'the embedded server'}", flush=True)
    if is_binary and options.host != "0.0.0.0":
        print(f"warning: {BINARY} listens on all addresses", file=sys.stderr)
    told = []
    process = None

    def forward(number, frame):
        told.append(number)
        if process is not None:
            process.send_signal(number)

    # Before the start: a signal in between must not leave the server behind.
    for number in _STOP_SIGNALS:
        signal.signal(number, forward)
    process = subprocess.Popen(line)
    for number in told:
        process.send_signal(number)
    code = process.wait()
    # The binary does not catch the signal: dying of what it was told is a clean stop.
    return 0 if told and code in (0, *(-number for number in told)) else code


@contextlib.contextmanager
def running_server(
    model_base_path: Path | str,
    model_name: str = "psad",
    features: FeatureSet = MOVIELENS_100K,
    start_seconds: float = 120.0,
) -> Iterator[str]:
    """A server in another process, ready on entry and drained on exit.

    It ends with this process as well, even when that is killed.

    Args:
        model_base_path: The folder of the model's versions.
        model_name: The model's name.
        features: The model's features, for the canary that tells readiness.
        start_seconds: How long it may take to be ready; importing TensorFlow alone can
            take tens of seconds.

    Yields:
        The target, `127.0.0.1:port`.

    Raises:
        ServerError: It did not become ready, or did not stop cleanly.
    """
    options = Options(
        port=_free_port(), model_name=model_name, model_base_path=Path(model_base_path)
    )
    target = f"127.0.0.1:{options.port}"
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            leashed(command(options)), stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        readiness = Readiness(False)
        try:
            readiness = _wait(process, target, features, model_name, start_seconds)
            if readiness.is_ready:
                yield target
        finally:
            is_dead = process.poll() is not None
            code = _stop(process)
            process.stdin.close()
            if not readiness.is_ready:
                raise ServerError(f"not ready: {readiness.reason}\n{_tail(log)}")
            if is_dead or code not in (0, -signal.SIGTERM):
                raise ServerError(f"the server exited with {code}\n{_tail(log)}")


def _wait(process, target, features, model_name, seconds) -> Readiness:
    end = time.monotonic() + seconds
    readiness = Readiness(False, reason="the server was not asked yet")
    while process.poll() is None and time.monotonic() < end:
        readiness = probe(target, features, model_name)
        if readiness.is_ready:
            return readiness
        time.sleep(0.2)
    if process.returncode is not None:
        return Readiness(False, reason=f"it exited with {process.returncode}")
    return readiness


def _stop(process) -> int:
    """Ends a process, kindly first; its exit code."""
    process.terminate()
    try:
        return process.wait(_DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _tail(log) -> str:
    log.seek(0)
    return "".join(log.readlines()[-_TAIL_LINES:])


def _free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return probe_socket.getsockname()[1]


def main(arguments: list[str] | None = None) -> int:
    """The command line: `serve` with the flags of `serving.server`."""
    return serve(parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
