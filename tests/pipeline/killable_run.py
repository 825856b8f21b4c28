"""Runs of `psad pipeline run` in processes of their own, to be killed at will.

Each is a fork of one process that has imported what a run needs, once for all of them.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable

import psutil
from forks import FORKS

SECONDS = 240  # more than any one component takes on a busy machine


class KillableRun:
    """One run, begun.

    Args:
        arguments: Of `psad`.
    """

    def __init__(self, arguments: list[str]):
        said, stderr = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_run, args=(arguments, stderr))
        self._process.start()
        stderr.close()
        self._lines = queue.Queue()
        self.said = []
        threading.Thread(target=self._listen, args=(said,), daemon=True).start()

    def _listen(self, said):
        with os.fdopen(os.dup(said.fileno())) as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

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
            assert self._process.is_alive(), "".join(self.said)
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
        self._process.join()
        return children

    def wait(self) -> int:
        """Until it ends by itself; the exit code."""
        self._process.join(SECONDS)
        return self._process.exitcode


def _run(arguments: list[str], stderr) -> None:
    # Else the server of forks was told of a module that it could not find.
    assert "tfx_pipeline.local_runner" in sys.modules
    import quick_beam  # noqa: F401
    from quick_graphs import quick_graphs

    from psad_tf import cli

    os.dup2(stderr.fileno(), 2)
    stderr.close()
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
    with quick_graphs():
        sys.exit(cli.main(arguments))


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
