"""The manifests against the types of Kubernetes, and what is copied into the image."""

import json
import re
import sys
from pathlib import Path

import pytest

import tfx_pipeline
from tfx_pipeline.runners.cluster import Cluster

sys.path.append(str(Path(__file__).parent.parent / "serving"))
yaml = pytest.importorskip("yaml")
pytest.importorskip("kubernetes")
HOME = Path(tfx_pipeline.__file__).parent
KINDS = {
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
    "Secret": "V1Secret",
    "ConfigMap": "V1ConfigMap",
    "CronJob": "V1CronJob",
    "Pod": "V1Pod",
}


def manifests():
    files = sorted((HOME / "kubernetes").glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text())]


def of_kind(kind):
    return [m for m in manifests() if m["kind"] == kind]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda m: m["metadata"]["name"])
def test_a_manifest_is_of_its_schema(manifest):
    from kubernetes_schema import read_strictly

    read_strictly(manifest, KINDS[manifest["kind"]])


def test_the_cluster_of_the_recurring_run_fits():
    (config,) = of_kind("ConfigMap")
    cluster = Cluster(**json.loads(config["data"]["cluster.json"]))
    cluster.check_fits("kubeflow", ["Trainer"])
    (claim,) = of_kind("PersistentVolumeClaim")
    assert cluster.claim == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_recurring_run_gives_flags_that_psad_has():
    from psad_tf import cli

    (job,) = of_kind("CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (script,) = pod["containers"][0]["args"]
    command = re.search(r"psad (pipeline compile.*?)\n\s*kfp", script, re.DOTALL)[1]
    words = command.replace("\\\n", " ").replace('"$day"', "20454").split()
    parsed = cli._parser().parse_args(words)
    assert (parsed.target, parsed.span) == ("kubeflow", 20454)
    mounts = {m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"/etc/psad", "/data"}


def test_only_the_trainer_s_pod_asks_for_a_gpu():
    pods = {pod["metadata"]["name"]: pod["spec"] for pod in of_kind("Pod")}
    plain, gpu = pods["psad-step"], pods["psad-gpu-step"]
    assert "nvidia.com/gpu" not in plain["containers"][0]["resources"]["limits"]
    assert gpu["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert gpu["nodeSelector"]


def test_no_pod_runs_as_root():
    (job,) = of_kind("CronJob")
    of_job = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    for spec in [of_job, *(pod["spec"] for pod in of_kind("Pod"))]:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001


def test_the_image_gets_each_package_and_runs_our_entry_point():
    text = (HOME / "docker" / "Containerfile").read_text()
    root = HOME.parent
    for source, target in re.findall(r"^COPY (\S+) /src/(\S+)$", text, re.MULTILINE):
        assert source == target
        assert (root / source).is_dir()
    copied = set(re.findall(r"^COPY (\S+) /src/\1$", text, re.MULTILINE))
    packages = re.search(r"PACKAGES = \((.*)\)", (root / "setup.py").read_text())[1]
    assert copied == set(re.findall(r'"(\w+)"', packages))
    from tfx_pipeline.runners import kubeflow_entrypoint

    command = re.search(r"ENTRYPOINT (\[.*\])", text)[1]
    assert json.loads(command)[-1] == kubeflow_entrypoint.__name__
