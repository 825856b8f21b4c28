"""One run at a time on a root: two would write into one metadata store."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psad_tf.errors import InputError

LOCK_FILE = ".lock"


class BusyError(InputError):
    """Another process runs a pipeline on the same root."""


@contextmanager
def only_run(root: Path) -> Iterator[None]:
    """Within it, no other process is.

    The operating system holds the lock for as long as the process lives: who is killed
    leaves none behind, and the file that is left locks nobody out.

    Args:
        root: The pipeline's root; made if it is not there.

    Raises:
        BusyError: Another process is within.
    """
    root.mkdir(parents=True, exist_ok=True)
    file = os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode().strip() or "unknown"
            raise BusyError(
                f"root={root}: process {holder} runs a pipeline on it; wait for its "
                "end, or name another --root"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)
