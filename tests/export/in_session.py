"""An artifact in a session, the way model servers run it."""

from export_cases import inputs_of


class InSession:
    """A loaded artifact that many threads may ask.

    Args:
        path: The SavedModel.
    """

    def __init__(self, path):
        import tensorflow as tf

        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            meta = tf.compat.v1.saved_model.load(self.session, ["serve"], str(path))
        self.signatures = {
            name: signature
            for name, signature in meta.signature_def.items()
            if signature.method_name == tf.saved_model.PREDICT_METHOD_NAME
        }

    def ask(self, name, lists, **changes):
        """A signature, lists -> output name to array."""
        given = inputs_of("rank" if name.startswith("rank") else name, lists) | changes
        signature = self.signatures[name]
        feeds = {signature.inputs[k].name: value for k, value in given.items()}
        fetches = {k: info.name for k, info in signature.outputs.items()}
        return self.session.run(fetches, feeds)

    def functions(self, signature):
        """The functions that a signature reaches, by name."""
        graph = self.session.graph.as_graph_def()
        library = {f.signature.name: f for f in graph.library.function}
        (output, *_) = self.signatures[signature].outputs.values()
        nodes = {node.name: node for node in graph.node}
        reached, waiting = {}, [nodes[output.name.partition(":")[0]]]
        while waiting:
            for name in _called(waiting.pop()):
                if name in library and name not in reached:
                    reached[name] = library[name]
                    waiting += library[name].node_def
        return reached


def _called(node):
    """The functions that a node calls."""
    for value in node.attr.values():
        yield value.func.name
        yield from (func.name for func in value.list.func)
