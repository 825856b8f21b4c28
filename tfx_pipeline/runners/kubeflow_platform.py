"""What only Kubernetes knows of a pipeline's pods: volumes, secrets, nodes."""

from tfx_pipeline.runners.cluster import Cluster


def kubernetes_spec(spec: dict, cluster: Cluster) -> dict:
    """The platform spec, which goes beside the pipeline's as a second YAML document.

    Args:
        spec: The pipeline's.
        cluster: What its pods get.
    """
    labels = {
        name: component["executorLabel"]
        for name, component in spec["components"].items()
    }
    executors = {label: _pod(name, cluster) for name, label in labels.items()}
    deployment = {"deploymentSpec": {"executors": executors}}
    return {"platforms": {"kubernetes": deployment}}


def _pod(component: str, cluster: Cluster) -> dict:
    claim = {"constant": cluster.claim, "mountPath": cluster.mount}
    pod = {"pvcMount": [claim]}
    if cluster.secrets:
        pod["secretAsEnv"] = [
            {"secretName": name, "keyToEnv": [_key(*pair) for pair in keys.items()]}
            for name, keys in cluster.secrets.items()
        ]
    if component in cluster.gpus:
        if cluster.gpu_nodes:
            pod["nodeSelector"] = {"labels": cluster.gpu_nodes}
        # Nodes with GPUs are mostly kept free of pods that don't ask for one.
        taint = {"key": cluster.gpu_type, "operator": "Exists", "effect": "NoSchedule"}
        pod["tolerations"] = [taint]
    return pod


def _key(key: str, variable: str) -> dict:
    return {"secretKey": key, "envVar": variable}
