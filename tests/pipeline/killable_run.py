"""Runs of `psad pipeline run` in processes of their own, to be killed at will.

As a program: imports what a run needs, waits for a line on standard input, then runs
`psad` with its arguments. So one process can be made ready while another one runs.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil

SECONDS = 240  # more than any one component takes on a busy machine


class KillableRun:
    """One run, not yet begun.

    Args:
        arguments: Of `psad`.
    """

    def __init__(self, arguments: list[str]):
        self._process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TF_USE_LEGACY_KERAS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self._lines = queue.Queue()
        self.said = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def begin(self) -> None:
        self._process.stdin.write("go\n")
        self._process.stdin.close()

    def wait_for(self, text: str) -> None:
        """Until standard error has a line that ends with the text."""
        while not (self.said and self.said[-1].rstrip().endswith(text)):
            line = self._lines.get(timeout=SECONDS)
            if line is None:
                raise AssertionError(f"no {text!r} in:\n{''.join(self.said)}")
            self.said.append(line)

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Until something is so, looking often."""
        end = time.monotonic() + SECONDS
        while not is_so():
            assert self._process.poll() is None, "".join(self.said)
            assert time.monotonic() < end, f"{is_so} is not so after {SECONDS} s"
            time.sleep(0.001)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True)

    def is_serving(self) -> bool:
        return any("serving.server" in p.cmdline() for p in self.children())

    def kill(self) -> list[psutil.Process]:
        """Ends the run as a power cut would; the children that it had."""
        children = self.children()
        self._process.kill()
        self._process.wait()
        return children

    def wait(self) -> int:
        """Until it ends by itself; the exit code."""
        return self._process.wait(SECONDS)


def alive(processes: list[psutil.Process], seconds: float) -> list[str]:
    """The command lines of those that still run after so many seconds."""
    end = time.monotonic() + seconds
    while (rest := [p for p in processes if _runs(p)]) and time.monotonic() < end:
        time.sleep(0.2)
    return [" ".join(p.cmdline()) for p in rest]


def _runs(process: psutil.Process) -> bool:
    # One that ended but was not reaped by init yet is a zombie.
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    import tfx_pipeline.local_runner  # noqa: F401 - the slow part
    from psad_tf import cli

    # No line comes from a test that is gone.
    sys.exit(cli.main(sys.argv[1:]) if sys.stdin.readline() else 0)
