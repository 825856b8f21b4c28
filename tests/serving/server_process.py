"""An embedded server in a process of its own, which a test can kill."""

import re
import subprocess
import sys
from pathlib import Path

import psutil

from serving.leash import leashed

READY = re.compile(r"ready: gRPC on ([\d.]+:\d+)")


class ServerProcess:
    """Starts when made, and is ready then; ends with this process at the latest.

    Args:
        base: The folder of the model's versions.
        port: 0 for any that is free.
        flags: Of the server.
    """

    def __init__(self, base: Path, port: int = 0, **flags):
        given = {"model_base_path": base, "port": port} | flags
        line = [f"--{name}={value}" for name, value in given.items()]
        self._leash = subprocess.Popen(
            leashed([sys.executable, "-m", "serving.server", *line]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = self._leash.stdout.readline()
        found = READY.match(said)
        assert found, f"not ready: {said!r}"
        self.target = found[1]
        (self.process,) = psutil.Process(self._leash.pid).children()

    @property
    def port(self) -> int:
        return int(self.target.rpartition(":")[2])

    @property
    def memory(self) -> int:
        """Bytes that are in memory."""
        return self.process.memory_info().rss

    def kill(self) -> None:
        """Ends it outright, as when memory runs out."""
        self.process.kill()
        self._close()

    def stop(self) -> int:
        """Ends it as a shutdown does; the exit code."""
        self.process.terminate()
        return self._close()

    def _close(self):
        code = self._leash.wait(60)
        self._leash.stdin.close()
        self._leash.stdout.close()
        return code
