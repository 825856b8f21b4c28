"""Tiny models, made once, and servers of them.

TensorFlow is imported inside the fixtures: most tests of the client run without it.
"""

import pytest
from embedded import free_port, publish, start
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
def ports(exports, tmp_path_factory):
    """(gRPC target, REST URL) of a server of version 1; its models do not change."""
    folder = tmp_path_factory.mktemp("served")
    publish(exports["up"], folder / "models", 1)
    monitoring = folder / "monitoring.config"
    monitoring.write_text("prometheus_config { enable: true }")
    rest_port = free_port()
    server, address = start(
        folder / "models", rest_api_port=rest_port, monitoring_config_file=monitoring
    )
    yield address, f"http://127.0.0.1:{rest_port}"
    server.stop()


@pytest.fixture(scope="session")
def target(ports):
    """The gRPC target of that server."""
    return ports[0]


@pytest.fixture(scope="session")
def rest_url(ports):
    """The REST URL of that server."""
    return ports[1]
