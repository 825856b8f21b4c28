"""Which component waits for which: all that an orchestrator has to know of a graph."""

import hashlib
import json

from tfx.proto.orchestration import pipeline_pb2


def edges(pipeline: pipeline_pb2.Pipeline) -> dict[str, list[str]]:
    """Each component, in an order that runs, and the components it waits for."""
    nodes = [node.pipeline_node for node in pipeline.nodes]
    return {node.node_info.id: sorted(node.upstream_nodes) for node in nodes}


def fingerprint(graph: dict[str, list[str]]) -> str:
    """A short hash, by which a step knows that its orchestrator has another graph."""
    text = json.dumps(graph, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
