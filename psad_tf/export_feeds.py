"""Where a model server puts what it is fed."""

from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2


def keep_feeds_on_host(path: Path) -> None:
    """Names the CPU for the inputs of a SavedModel's signatures.

    A session puts an input that names no device on the GPU where there is one. What
    checks and packs it is on the host, so that each would go there and back first.

    Args:
        path: The SavedModel, changed in place. Its fingerprint, which is of what was
            there before, goes; nothing needs it to load.
    """
    file = path / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for graph in model.meta_graphs:
        for node in graph.graph_def.node:
            if node.op == "Placeholder":
                node.device = "/device:CPU:0"
    file.write_bytes(model.SerializeToString(deterministic=True))
    (path / "fingerprint.pb").unlink(missing_ok=True)
