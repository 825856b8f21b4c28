"""Runs a command that ends when the process that started it does, however it dies.

    python -m serving.leash COMMAND ARGUMENT...

A process that is killed outright cannot stop its children. But its end of a pipe
closes: this process waits for the end of its standard input, then stops the command.
"""

import os
import signal
import subprocess
import sys
import threading

# Longer than the embedded server gives to requests under way, shorter than `launch`
# gives to a stop: it must not kill the leash before the command.
_DRAIN_SECONDS = 35
_CAUGHT = (signal.SIGTERM, signal.SIGINT)


def leashed(command: list[str]) -> list[str]:
    """The command line that runs a command on a leash; give it a pipe as stdin."""
    return [sys.executable, "-m", "serving.leash", *command]


def main(command: list[str]) -> int:
    """Runs the command until it ends, a stop signal arrives or standard input ends.

    Returns:
        The command's exit code; a command that dies of a signal takes this process
        along by the same one.
    """
    stop = threading.Event()
    # Before the start: a signal in between must not leave the command behind.
    for number in _CAUGHT:
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_set_at_end_of_input, args=(stop,), daemon=True).start()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_stop_when, args=(stop, process), daemon=True).start()
    code = process.wait()
    if code < 0:
        if -code in _CAUGHT:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _set_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def _stop_when(stop: threading.Event, process: subprocess.Popen) -> None:
    stop.wait()
    process.terminate()
    try:
        process.wait(_DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"killed: not stopped after {_DRAIN_SECONDS} s", file=sys.stderr)
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
