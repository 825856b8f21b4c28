"""One component of one run, as a task of an orchestrator runs it.

All tasks of a run give the same run id. TFX then finds the inputs of a component in
what the run's earlier tasks recorded, and knows a task that is run again.
"""

import shutil
from pathlib import Path

from absl import logging
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    launcher,
    outputs_utils,
    runtime_parameter_utils,
)
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import Artifact

from psad_tf.errors import ConfigError
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.local_runner import compiled
from tfx_pipeline.run_lock import only_run
from tfx_pipeline.runners.graph import edges, fingerprint

RUN_ID = "pipeline-run-id"  # TFX's name of the parameter


class StepFailed(RuntimeError):
    """A component ended without its outputs, mostly for want of its inputs."""


def run_step(
    config: PipelineConfig, component: str, run_id: str, graph: str = ""
) -> dict[str, list[Artifact]]:
    """Runs one component, unless this run has its outputs already.

    What an attempt that was killed left in the folders of its outputs is removed first:
    a retry writes into empty folders under the same numbers.

    Args:
        config: The pipeline's, the same for all components of a run.
        component: Its id, such as `Trainer`.
        run_id: Names the run; the same for all components.
        graph: The fingerprint of the orchestrator's graph; empty to trust it.

    Returns:
        The component's outputs by name.

    Raises:
        ConfigError: The pipeline has no such component, or another graph.
        StepFailed: An earlier component of this run has not ended well.
        BusyError: Another process runs a component on this root.
    """
    with only_run(Path(config.root)):
        return _run_step(config, component, run_id, graph)


def _run_step(config, component, run_id, graph):
    pipeline = compiled(config)
    _check_graph(fingerprint(edges(pipeline)), graph)
    runtime_parameter_utils.substitute_runtime_parameter(pipeline, {RUN_ID: run_id})
    node = _node(pipeline, component)
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    connection = deployment.metadata_connection_config
    kind = connection.WhichOneof("connection_config")
    store = metadata.Metadata(getattr(connection, kind))
    with store:
        _remove_unfinished(_execution(store, node), pipeline, node)
    driver = runner_utils.extract_custom_driver_spec(deployment, component)
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=store,
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, component),
        custom_driver_spec=driver,
    ).launch()
    with store:
        return _outputs(store, node, run_id)


def _check_graph(own: str, given: str) -> None:
    if given and given != own:
        raise ConfigError(
            f"--graph={given}: this installation's pipeline is {own}, so that the "
            "orchestrator's file is of other components; write it anew with "
            "`psad pipeline airflow`"
        )


def _node(pipeline: pipeline_pb2.Pipeline, component: str):
    nodes = {n.pipeline_node.node_info.id: n.pipeline_node for n in pipeline.nodes}
    if component not in nodes:
        raise ConfigError(
            f"component {component!r} is unknown; known: {', '.join(nodes)}"
        )
    return nodes[component]


def _execution(
    store: metadata.Metadata, node: pipeline_pb2.PipelineNode
) -> metadata_store_pb2.Execution | None:
    """The component's only execution in this run, if it was begun."""
    contexts = context_lib.prepare_contexts(store, node.contexts)
    found = execution_lib.get_executions_associated_with_all_contexts(store, contexts)
    return found[0] if found else None


def _remove_unfinished(
    execution: metadata_store_pb2.Execution | None,
    pipeline: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
) -> None:
    if execution is None or execution_lib.is_execution_successful(execution):
        return
    resolver = outputs_utils.OutputsResolver(
        pipeline_node=node,
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
    )
    outputs = resolver.generate_output_artifacts(execution.id)
    for artifact in (one for some in outputs.values() for one in some):
        if Path(artifact.uri).exists():
            logging.info("Removing %s of an unfinished attempt.", artifact.uri)
            shutil.rmtree(artifact.uri)


def _outputs(store, node, run_id: str) -> dict[str, list[Artifact]]:
    execution = _execution(store, node)
    # TFX's launcher records missing inputs as a failure, and returns.
    if execution is None or not execution_lib.is_execution_successful(execution):
        needs = ", ".join(node.upstream_nodes) or "nothing"
        raise StepFailed(
            f"{node.node_info.id} of run {run_id!r} has no outputs; it needs {needs} "
            "of the same run, so run those first"
        )
    return execution_lib.get_output_artifacts(store, execution.id)
