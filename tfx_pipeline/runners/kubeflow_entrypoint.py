"""What a component's container runs on Kubeflow Pipelines v2 and on Vertex AI.

TFX's own entry point (`kubeflow_v2_run_executor`) is written for Vertex AI. Before it
is called, and after, this does what else is needed:

- **Types.** The open-source platform hands artifacts over with types of its own, or
  with an empty `instanceSchema`, of which TFX can't tell the Python class. The compiled
  command line has the classes in `--artifact_types`; they replace what came.
- **Places.** An artifact's URI is in a bucket, and our components read and write files.
  The open-source launcher downloads inputs to, and uploads outputs from, a local folder
  named after the URI; Vertex AI mounts buckets at such a folder. The executor sees that
  folder, and the platform the URI. Nothing writes to the bucket through TensorFlow,
  whose zero-byte folder markers the launcher trips over. But workers on Dataflow have
  no such folder: an executor that runs there is given the URIs.
- **Names.** TFX makes a number of an artifact's name, and the Evaluator looks the name
  up by it. An artifact without a name gets its URI.
- **Retries.** What an earlier attempt left in the folders of the outputs is removed.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDERS = {"gs": "gcs", "s3": "s3", "minio": "minio"}
# Where the platforms put those folders; elsewhere in a test of one machine.
MOUNT = "PSAD_ARTIFACT_MOUNT"


def main(arguments: list[str]) -> None:
    """Runs one executor.

    Args:
        arguments: Those of TFX's entry point and `--artifact_types`; what else there is
            goes to Beam.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    parser.add_argument("--artifact_types", type=json.loads, required=True)
    parsed, beam_args = parser.parse_known_args(arguments)
    asked = json.loads(parsed.json_serialized_invocation_args)
    mount = None if on_dataflow(beam_args) else os.environ.get(MOUNT, "/")
    uris = localize(asked, parsed.artifact_types, mount)
    if mount:
        _empty(artifact["uri"] for artifact in _artifacts(asked["outputs"]))
    parsed.json_serialized_invocation_args = json.dumps(asked)
    # Importing TFX takes half a minute: only once the arguments are known good.
    from tfx.dsl.io import fileio
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    kubeflow_v2_run_executor.main((parsed, beam_args))
    file = asked["outputs"]["outputFile"]
    with fileio.open(file) as written:
        answer = json.loads(written.read())
    for artifact in _artifacts(answer):
        artifact["uri"] = uris[artifact["uri"]]
    with fileio.open(file, "w") as out:
        out.write(json.dumps(answer))


def on_dataflow(beam_args: list[str]) -> bool:
    """Whether the runner is Dataflow: of two flags the later one counts."""
    runners = [flag for flag in beam_args if flag.startswith("--runner=")]
    return bool(runners) and runners[-1].removeprefix("--runner=") == "DataflowRunner"


def _empty(folders: Iterable[str]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(parents=True)


def localize(asked: dict, types: dict, mount: str | None) -> dict[str, str]:
    """Gives each artifact its class, a name and a local folder, in place.

    Args:
        asked: An ExecutorInput.
        types: `inputs` and `outputs` → name → the path of a class.
        mount: The folder above those of the schemes; None leaves URIs as they are.

    Returns:
        What the executor sees → URI.
    """
    uris = {}
    for side in ("inputs", "outputs"):
        for name, listed in asked.get(side, {}).get("artifacts", {}).items():
            for artifact in listed["artifacts"]:
                uri = artifact["uri"]
                artifact["type"] = {"schemaTitle": types[side][name]}
                artifact["name"] = artifact.get("name") or uri
                artifact["uri"] = local_folder(uri, mount) if mount else uri
                uris[artifact["uri"]] = uri
    return uris


def local_folder(uri: str, mount: str) -> str:
    """Where a platform puts what a URI names.

    Raises:
        ValueError: The URI has none of the known schemes.
    """
    scheme, _, rest = uri.partition("://")
    if scheme not in FOLDERS:
        raise ValueError(
            f"uri={uri}: the scheme is none of {', '.join(FOLDERS)}; set the "
            "pipeline's root to a bucket of one of those"
        )
    return str(Path(mount, FOLDERS[scheme], rest))


def _artifacts(side: dict) -> list[dict]:
    listed = side.get("artifacts", {}).values()
    return [artifact for one in listed for artifact in one["artifacts"]]


if __name__ == "__main__":
    main(sys.argv[1:])
