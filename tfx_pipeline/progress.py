"""Shows which component runs and for how long; the full logs go to a file."""

import contextlib
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_EVENT = re.compile(r"Component (\S+) is (running|finished)\.")


class _Components(logging.Handler):
    """Turns the runner's log lines into one line a component."""

    def __init__(self):
        super().__init__(logging.INFO)
        self._start = self._began = time.monotonic()
        self._how = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "cached execution" in message:
            self._how = " (unchanged, from the last run)"
        event = _EVENT.search(message)
        if event and event[2] == "running":
            self._began, self._how = time.monotonic(), ""
            self._say(f"{event[1]} ...")
        elif event:
            seconds = time.monotonic() - self._began
            self._say(f"{event[1]}: {seconds:.1f} s{self._how}")

    def _say(self, text: str) -> None:
        elapsed = time.monotonic() - self._start
        print(f"[{elapsed:5.0f} s] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def showing_progress(folder: Path, verbose: bool = False) -> Iterator[None]:
    """Within it, logs go to `folder/<time>.log` and progress to standard error.

    Args:
        folder: Of the logs; made when missing.
        verbose: Logs go to standard error as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{time.strftime('%Y%m%d-%H%M%S')}.log"
    handlers = [logging.FileHandler(file), _Components()]
    handlers[0].setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    if verbose:
        handlers.append(logging.StreamHandler())
    from absl import logging as absl_logging

    absl_logging.set_verbosity(absl_logging.INFO)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = handlers
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    print(f"logs: {file}", file=sys.stderr)
    try:
        yield
    finally:
        root.handlers[:], root.level = before
        logging.captureWarnings(False)
        handlers[0].close()
