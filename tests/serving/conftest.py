"""Tiny models, made once, and servers of them.

TensorFlow is imported inside the fixtures: most tests of the client run without it.
"""

import pytest
from embedded import publish, start
from serving_lists import FEATURES


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """Name → SavedModel folder: `up` ranks by the initial score, `down` against it."""
    import tiny_model

    root = tmp_path_factory.mktemp("exports")
    scales = {"up": 1.0, "down": -1.0}
    return {n: tiny_model.save(root / n, FEATURES, s) for n, s in scales.items()}


@pytest.fixture
def base(exports, tmp_path):
    """A base path with version 1, which is `up`."""
    publish(exports["up"], tmp_path / "models", 1)
    return tmp_path / "models"


@pytest.fixture(scope="session")
def target(exports, tmp_path_factory):
    """The target of a server of version 1, for tests that do not change its models."""
    base_path = tmp_path_factory.mktemp("served")
    publish(exports["up"], base_path, 1)
    server, address = start(base_path)
    yield address
    server.stop()
