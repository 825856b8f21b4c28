"""Tiny models, made once, and servers of them.

TensorFlow is imported inside the fixtures: most tests of the client run without it.
"""

import shutil
from pathlib import Path

import pytest

from serving.options import Options
from tests.serving.lists import FEATURES


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """Name → SavedModel folder: `up` ranks by the initial score, `down` against it."""
    from tests.serving import tiny_model

    root = tmp_path_factory.mktemp("exports")
    scales = {"up": 1.0, "down": -1.0}
    return {n: tiny_model.save(root / n, FEATURES, s) for n, s in scales.items()}


def publish(export: Path, base: Path, number: int) -> Path:
    """Publishes an export as a version, the way it should be done: by a rename."""
    base.mkdir(exist_ok=True)
    hidden = base / f"tmp-{number}"
    shutil.copytree(export, hidden)
    return hidden.rename(base / str(number))


@pytest.fixture
def base(exports, tmp_path):
    """A base path with version 1, which is `up`."""
    publish(exports["up"], tmp_path / "models", 1)
    return tmp_path / "models"


def start(base_path: Path):
    """An embedded server in this process, on a free port; (server, target)."""
    from serving.server import Server

    server = Server(Options(port=0, model_base_path=base_path))
    return server, f"127.0.0.1:{server.start()}"


@pytest.fixture(scope="session")
def target(exports, tmp_path_factory):
    """The target of a server of version 1, for tests that do not change its models."""
    base_path = tmp_path_factory.mktemp("served")
    publish(exports["up"], base_path, 1)
    server, address = start(base_path)
    yield address
    server.stop()
