"""One run at a time on a root, and none locked out by a dead one."""

import os
import signal
import subprocess
import sys

import pytest

from tfx_pipeline.run_lock import BusyError, only_run

HOLD = """
import sys
from pathlib import Path
from tfx_pipeline.run_lock import only_run
with only_run(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that runs on the root."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "in\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_and_told_who_runs(tmp_path, holder):
    with (
        pytest.raises(BusyError, match=f"process {holder.pid} runs .* another --root"),
        only_run(tmp_path),
    ):
        pass


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    with only_run(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_other_roots_are_free(tmp_path, holder):
    with only_run(tmp_path / "other"):
        pass


def test_a_run_that_failed_leaves_no_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), only_run(tmp_path):
        _ = 1 / 0
    with only_run(tmp_path):
        pass
