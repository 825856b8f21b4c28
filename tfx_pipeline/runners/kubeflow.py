"""The pipeline as a spec for Kubeflow Pipelines v2, open source or on Vertex AI."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from tfx.orchestration import pipeline as pipeline_lib
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as runner
from tfx.utils import name_utils

from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.local_runner import NEVER_CACHED
from tfx_pipeline.pipeline import create_pipeline
from tfx_pipeline.runners.cluster import Cluster
from tfx_pipeline.runners.kubeflow_platform import kubernetes_spec

COMMAND = ["python", "-m", "tfx_pipeline.runners.kubeflow_entrypoint"]
ANY_TYPE = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}


def compile_job(config: PipelineConfig, cluster: Cluster, target: str) -> dict:
    """A PipelineJob: `pipelineSpec` and, for Vertex AI, `runtimeConfig`.

    Args:
        config: The pipeline's; its raw logs must be here too, since their fingerprint
            is part of what the platform's cache compares.
        cluster: Where it is to run.
        target: `kubeflow` or `vertex`.

    Raises:
        ConfigError: The cluster lacks what the target needs.
    """
    pipeline = create_pipeline(config)
    cluster.check_fits(target, [c.id for c in pipeline.components])
    # The platform's names are of lower-case letters, digits and hyphens.
    about = pipeline.pipeline_info
    about.pipeline_name = about.pipeline_name.replace("_", "-")
    how = runner.KubeflowV2DagRunnerConfig(
        default_image=cluster.image,
        default_commands=COMMAND,
        use_pipeline_spec_2_1=True,
    )
    with _dotted_type_names(pipeline):
        job = runner.KubeflowV2DagRunner(how).run(pipeline, write_out=False)
    spec = job["pipelineSpec"]
    executors = spec["deploymentSpec"]["executors"]
    for component in pipeline.components:
        name = spec["components"][component.id]["executorLabel"]
        _mend(executors[name]["container"], component, cluster)
        if component.id in NEVER_CACHED:
            del spec["root"]["dag"]["tasks"][component.id]["cachingOptions"]
    _set_root(job, cluster)
    if target == "kubeflow":
        _hide_types(spec)
    return job


def write_job(job: dict, cluster: Cluster, target: str, file: Path) -> None:
    """Writes YAML for Kubeflow, with what only Kubernetes knows; JSON for Vertex AI."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if target == "vertex":
        file.write_text(json.dumps(job, indent=1, sort_keys=True))
        return
    spec = job["pipelineSpec"]
    documents = [spec, kubernetes_spec(spec, cluster)]
    file.write_text(yaml.safe_dump_all(documents, sort_keys=True))


@contextlib.contextmanager
def _dotted_type_names(pipeline: pipeline_lib.Pipeline) -> Iterator[None]:
    """Within it, our own artifact types have names of the form that is asked for.

    TFX's metadata elsewhere have the short name.
    """
    types = {out.type for c in pipeline.components for out in c.outputs.values()}
    own = {kind: kind.TYPE_NAME for kind in types if "tfx_pipeline" in kind.__module__}
    for kind, name in own.items():
        kind.TYPE_NAME = f"psad.{name}"
    try:
        yield
    finally:
        for kind, name in own.items():
            kind.TYPE_NAME = name


def _mend(container: dict, component, cluster: Cluster) -> None:
    """Tells our entry point the artifacts' classes, and asks for GPUs."""
    types = {
        side: {n: name_utils.get_full_name(c.type) for n, c in sorted(channels.items())}
        for side, channels in (
            ("inputs", component.inputs),
            ("outputs", component.outputs),
        )
    }
    container["args"] += ["--artifact_types", json.dumps(types)]
    if count := cluster.gpus.get(component.id):
        gpus = {"type": cluster.gpu_type, "count": str(count)}
        gpus |= {"resourceType": cluster.gpu_type, "resourceCount": str(count)}
        container.setdefault("resources", {})["accelerator"] = gpus


def _set_root(job: dict, cluster: Cluster) -> None:
    # TFX puts the local root in; an orchestrator's artifacts lie in a bucket.
    if cluster.pipeline_root:
        job["pipelineSpec"]["defaultPipelineRoot"] = cluster.pipeline_root
        job["runtimeConfig"]["gcsOutputDirectory"] = cluster.pipeline_root
    else:
        job["runtimeConfig"].pop("gcsOutputDirectory")


def _hide_types(spec: dict) -> None:
    """The open-source platform knows types of its own alone; our entry point restores
    the classes."""
    for component in spec["components"].values():
        for side in ("inputDefinitions", "outputDefinitions"):
            for artifact in component.get(side, {}).get("artifacts", {}).values():
                artifact["artifactType"] = ANY_TYPE
