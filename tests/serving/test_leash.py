"""A command on a leash ends as the leash says, and the leash as the command does."""

import signal
import subprocess
import sys

import pytest

from serving.leash import leashed

STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.1; done"
HASTY = """
import sys
from serving import leash

leash._DRAIN_SECONDS = 0.2
sys.exit(leash.main(sys.argv[1:]))
"""


def run(script):
    """The shell's script on a leash that is held until it ends; the exit code."""
    with subprocess.Popen(leashed(["sh", "-c", script]), stdin=subprocess.PIPE) as one:
        return one.wait(30)


def test_the_exit_code_is_the_commands():
    assert run("exit 5") == 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_that_ends_the_command_ends_the_leash(number):
    assert run(f"kill -{int(number)} $$") == -number


def test_a_command_that_does_not_stop_is_killed_and_told():
    line = [sys.executable, "-c", HASTY, "sh", "-c", STUBBORN]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as one:
        assert one.stdout.readline() == "up\n"
        one.stdin.close()  # the leash's end
        assert one.wait(30) == -signal.SIGKILL
        assert one.stderr.read() == "killed: not stopped after 0.2 s\n"
