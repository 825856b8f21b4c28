"""A servable without a model: it knows its number, and whether it was closed."""

import grpc

from serving.fault import Fault


class Fake:
    """Loads any folder but one that holds a file `broken`."""

    def __init__(self, name, number, path):
        if (path / "broken").exists():
            raise Fault(grpc.StatusCode.DATA_LOSS, f"{number} is broken")
        self.name, self.number, self.is_closed = name, number, False

    def close(self):
        assert not self.is_closed
        self.is_closed = True


def make(base, name, *files):
    """A version folder with these files besides the graph."""
    folder = base / str(name)
    folder.mkdir(parents=True)
    for file in ("saved_model.pb", *files):
        (folder / file).write_text("x")
    return folder


def remove(folder):
    """Takes a version away, whole."""
    folder.rename(folder.with_name(f"was-{folder.name}"))
