"""What a cluster gives the pipeline: an image, a volume, secrets, nodes with GPUs."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from psad_tf.errors import ConfigError


@dataclass(frozen=True)
class Cluster:
    """Where a compiled pipeline is to run.

    Args:
        image: Of the components' containers.
        pipeline_root: A folder in a bucket, for artifacts; empty: the cluster's own.
        claim: The volume claim with the raw logs and the model store. Vertex AI has
            none: there both lie in a bucket, mounted at `/gcs/<bucket>`.
        mount: Where the claim is mounted, in all components alike.
        secrets: Name of a secret → its key → the environment variable it is read from.
        gpus: Component → how many it gets.
        gpu_type: As the platform calls them: `nvidia.com/gpu`, `NVIDIA_L4`, ...
        gpu_nodes: Labels of the nodes that have them.
    """

    image: str
    pipeline_root: str = ""
    claim: str = ""
    mount: str = "/data"
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    gpus: dict[str, int] = field(default_factory=dict)
    gpu_type: str = "nvidia.com/gpu"
    gpu_nodes: dict[str, str] = field(default_factory=dict)

    def check_fits(self, target: str, components: list[str]) -> None:
        """
        Raises:
            ConfigError: The target lacks what is asked for, or needs what isn't said.
        """
        for component in set(self.gpus) - set(components):
            raise ConfigError(
                f"gpus: component {component!r} is unknown; known: {components}"
            )
        if target == "kubeflow" and not self.claim:
            raise ConfigError(
                "claim='': the raw logs and the model store outlive a pod; name the "
                "persistent volume claim that holds them"
            )
        if target == "vertex":
            self._check_vertex()

    def _check_vertex(self) -> None:
        if not self.pipeline_root.startswith("gs://"):
            raise ConfigError(
                f"pipeline_root={self.pipeline_root!r}: Vertex AI keeps artifacts in a "
                "bucket; give gs://bucket/folder"
            )
        for name in ("claim", "secrets", "gpu_nodes"):
            if value := getattr(self, name):
                raise ConfigError(
                    f"{name}={value!r}: Vertex AI has no such thing; leave it out (it "
                    "mounts buckets at /gcs and picks nodes by gpu_type)"
                )


def read_cluster(file: Path) -> Cluster:
    """Reads a JSON file of `Cluster` fields.

    Raises:
        ConfigError: The file is no JSON object, or a field is unknown or missing.
    """
    try:
        values = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"--cluster={file}: {error}; give a JSON file") from None
    known = [f.name for f in fields(Cluster)]
    unknown = sorted(set(values) - set(known))
    if unknown or "image" not in values:
        raise ConfigError(
            f"{file}: unknown {unknown}, or no image; known: {', '.join(known)}"
        )
    return Cluster(**values)
