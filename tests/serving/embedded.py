"""Published versions, and embedded servers of them in this process."""

import shutil
import socket
from pathlib import Path

from serving.options import Options


def publish(export: Path, base: Path, number: int) -> Path:
    """Publishes an export as a version, the way it should be done: by a rename."""
    base.mkdir(exist_ok=True)
    hidden = base / f"tmp-{number}"
    shutil.copytree(export, hidden)
    return hidden.rename(base / str(number))


def start(base_path: Path, **options):
    """An embedded server in this process, on a free port; (server, target)."""
    from serving.server import Server

    server = Server(Options(port=0, model_base_path=base_path, **options))
    return server, f"127.0.0.1:{server.start()}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
