"""One process with TFX for all tasks, and one environment with Airflow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.append(str(ROOT / "tests" / "pipeline"))  # the made-up log, and its settings


class ForkServer:
    """See `fork_server.py`.

    Args:
        folder: Of its socket and its words.
    """

    def __init__(self, folder: Path):
        self._words = folder / "server.log"
        self.begin = [sys.executable, str(HERE / "fork_server.py"), str(folder / "s")]
        with self._words.open("w") as log:
            self.process = subprocess.Popen(
                self.begin, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def wait(self) -> None:
        """Until it answers."""
        assert self.process.stdout.readline() == "ready\n", self._words.read_text()

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """Runs a command line in a fork of it."""
        return subprocess.run(
            [*self.begin, *words],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The process that tasks are forks of."""
    one = ForkServer(tmp_path_factory.mktemp("server"))
    one.wait()
    yield one
    one.process.kill()
    one.process.wait()


SETTINGS = {
    "model": {
        "hidden_dim": 8,
        "num_layers": 1,
        "block_size": 5,
        "refine_size": 0,
        "beam_width": 1,
    },
    "training": {"epochs": 1},
}
WORLD = {"users": 120, "items": 60, "lists_per_user": 8.0}
SPAN = 20_454


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A raw log as a span, and the settings of a small run that any model passes."""
    from pipeline_runs import OPEN_GATE

    folder = tmp_path_factory.mktemp("workplace")
    span = folder / "logs" / f"span-{SPAN}"
    span.mkdir(parents=True)
    (span / "world.json").write_text(json.dumps(WORLD))
    settings = SETTINGS | {"gate": OPEN_GATE | {"serving_lists": 1}}
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder
