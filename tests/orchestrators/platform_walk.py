"""Stands in for Kubeflow Pipelines: walks a compiled spec, and runs its containers.

What the open-source platform's driver and launcher do to a task is done here: an
ExecutorInput is made of the spec and of what earlier tasks said, inputs are downloaded
into the task's own file system, the container's own command is run, and its outputs are
uploaded. Containers are processes; each sees only the files of its own inputs, its own
outputs, and the mounted volume.
"""

import json
import shutil
from pathlib import Path

# As open-source Kubeflow Pipelines tells types, by public threads: its own, or none.
TYPE_OF_OUTPUT = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
TYPE_OF_INPUT = {"instanceSchema": ""}
BUCKET = "minio://mlpipeline/v2/artifacts"


class Walk:
    """One run of a spec.

    Args:
        spec: The pipeline spec, as compiled.
        folder: Gets the bucket, and a folder for each task.
        run: `(words, **environment)` to a finished process: runs a container's command.
    """

    def __init__(self, spec: dict, folder: Path, run):
        self._spec, self._folder, self._run = spec, folder, run
        self._said = {}  # task → output → the artifact as the task's executor told it
        self.order = []

    def to_the_end(self) -> None:
        """Runs each task when those that it waits for are done."""
        tasks = dict(self._spec["root"]["dag"]["tasks"])
        while tasks:
            ready = [n for n, t in tasks.items() if self._is_ready(t)]
            assert ready, f"these wait for each other: {sorted(tasks)}"
            for name in ready:
                self._said[name] = self._run_task(name, tasks.pop(name))
                self.order.append(name)

    def artifact(self, task: str, output: str) -> dict:
        """What a task said of an output."""
        return self._said[task][output]

    def outputs(self, task: str) -> dict[str, dict]:
        """All that a task said of its outputs."""
        return self._said[task]

    def folder(self, task: str, output: str) -> Path:
        """Where an output lies in the bucket."""
        return self._in_bucket(self.artifact(task, output)["uri"])

    def _is_ready(self, task: dict) -> bool:
        return set(task.get("dependentTasks", [])) <= set(self._said)

    def _run_task(self, name: str, task: dict) -> dict:
        component = self._spec["components"][task["componentRef"]["name"]]
        executors = self._spec["deploymentSpec"]["executors"]
        container = executors[component["executorLabel"]]["container"]
        pod = self._folder / "pods" / name
        asked = self._executor_input(name, task, component, pod)
        for artifact in listed(asked["inputs"]):
            copy(self._in_bucket(artifact["uri"]), in_pod(pod, artifact["uri"]))
        words = [*container["command"], *container["args"]]
        words = [word.replace("{{$}}", json.dumps(asked)) for word in words]
        done = self._run(*words, PSAD_ARTIFACT_MOUNT=str(pod))
        assert done.returncode == 0, f"{name}:\n{done.stdout}\n{done.stderr}"
        for artifact in listed(asked["outputs"]):
            copy(in_pod(pod, artifact["uri"]), self._in_bucket(artifact["uri"]))
        shutil.rmtree(pod / "minio")
        answer = json.loads(Path(asked["outputs"]["outputFile"]).read_text())
        said = answer.get("artifacts", {})
        return {name: one["artifacts"][0] for name, one in said.items()}

    def _executor_input(self, name, task, component, pod) -> dict:
        inputs = task.get("inputs", {})
        outputs = component.get("outputDefinitions", {}).get("artifacts", {})
        return {
            "inputs": {
                "parameterValues": {
                    key: value["runtimeValue"]["constant"]
                    for key, value in inputs.get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._as_input(value["taskOutputArtifact"])]}
                    for key, value in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {"artifacts": [self._as_output(name, key)]} for key in outputs
                },
                "outputFile": str(pod / "output_metadata.json"),
            },
        }

    def _as_input(self, source: dict) -> dict:
        said = self.artifact(source["producerTask"], source["outputArtifactKey"])
        return said | {"name": "", "type": TYPE_OF_INPUT}

    def _as_output(self, task: str, key: str) -> dict:
        pipeline = self._spec["pipelineInfo"]["name"]
        uri = f"{BUCKET}/{pipeline}/run-1/{task}/{key}"
        return {"name": "", "type": TYPE_OF_OUTPUT, "uri": uri, "metadata": {}}

    def _in_bucket(self, uri: str) -> Path:
        return self._folder / "bucket" / uri.removeprefix("minio://")


def in_pod(pod: Path, uri: str) -> Path:
    """Where the launcher puts what a URI names."""
    return pod / "minio" / uri.removeprefix("minio://")


def copy(source: Path, target: Path) -> None:
    """As a launcher does: files alone, so that an empty folder is lost."""
    for file in source.rglob("*"):
        if file.is_file():
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)


def listed(side: dict) -> list[dict]:
    """The artifacts of one side of an ExecutorInput."""
    return [a for one in side["artifacts"].values() for a in one["artifacts"]]
