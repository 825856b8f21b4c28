"""Runs a loaded graph, as the C++ server does: straight into `Session::Run`.

`tf.compat.v1.Session.run` spends several times what a small model takes on looking at
what it is given (measured: 690 microseconds a call against 145), all of it under the
global lock. The requests that come here were checked against the signature, so the
call below it is made, which has no public name.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.python.client import pywrap_tf_session as core

from serving.fault import Fault, invalid


class GraphRun:
    """A session whose graph changes no more; may be shared among threads.

    A graph that batches requests runs each to its end, whatever time is left:
    TensorFlow runs a batch in the name of the request that joined it last, and when the
    time of that one is up, the others in it fail too. Clients have deadlines anyway.

    Args:
        session: The session; whoever made it closes it.
    """

    def __init__(self, session: tf.compat.v1.Session):
        session.graph.finalize()
        session._extend_graph()
        self._session = session
        self._batches = has_batches(session.graph)
        self._outputs: dict[str, object] = {}  # by tensor name; those of signatures

    def __call__(
        self,
        fetches: Mapping[str, str],
        feeds: Mapping[str, np.ndarray],
        remaining: float | None = None,
    ) -> dict[str, np.ndarray]:
        """The values of tensors.

        Args:
            fetches: Alias → graph tensor name.
            feeds: Graph tensor name → value, of the tensor's type and shape.
            remaining: Seconds after which the run is given up; None for never. A graph
                that batches heeds it no longer.

        Returns:
            Alias → value.

        Raises:
            Fault: The graph failed, or the time is up.
        """
        fed = {self._output(name): array for name, array in feeds.items()}
        fetched = [self._output(name) for name in fetches.values()]
        options = _options(None if self._batches else remaining)
        try:
            values = core.TF_SessionRun_wrapper(
                self._session._session, options, fed, fetched, [], None
            )
        except tf.errors.OpError as error:
            raise Fault.from_tensorflow(error) from error
        except UnicodeDecodeError as error:
            # TensorFlow fails to report a message that quotes bytes of the request.
            message = error.object.decode(errors="backslashreplace")
            raise invalid(message) from error
        finally:
            if options is not None:
                core.TF_DeleteBuffer(options)
        return dict(zip(fetches, values, strict=True))

    def _output(self, name):
        if name not in self._outputs:
            tensor = self._session.graph.get_tensor_by_name(name)
            self._outputs[name] = tensor._as_tf_output()
        return self._outputs[name]


def load_graph(path: Path, config=None) -> tuple[GraphRun, dict]:
    """A SavedModel in a session, for as long as the process lives.

    Args:
        path: Its folder.
        config: The session's `ConfigProto`, or None.

    Returns:
        What runs it, and each `SignatureDef` by name.
    """
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default():
        tags = [tf.saved_model.SERVING]
        loaded = tf.compat.v1.saved_model.load(session, tags, str(path))
    return GraphRun(session), dict(loaded.signature_def)


def has_batches(graph: tf.Graph) -> bool:
    """Whether a graph puts requests into batches."""
    definition = graph.as_graph_def()
    functions = (f.node_def for f in definition.library.function)
    nodes = itertools.chain(definition.node, *functions)
    return any(node.op == "BatchFunction" for node in nodes)


def _options(remaining):
    if remaining is None:
        return None
    milliseconds = max(1, int(min(remaining, 2**31) * 1000))
    options = tf.compat.v1.RunOptions(timeout_in_ms=milliseconds)
    return core.TF_NewBufferFromString(options.SerializeToString())
