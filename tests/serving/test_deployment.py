"""The manifests, the rules and the dashboard, against schemas and the real metrics."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from kubernetes_schema import read_strictly
from serving_lists import FEATURES, ranking_list

import serving
from serving import probe
from serving.client import RerankClient
from serving.settings import read_settings

yaml = pytest.importorskip("yaml")
HOME = Path(serving.__file__).parent
KINDS = {
    ("apps/v1", "Deployment"): "V1Deployment",
    ("v1", "Service"): "V1Service",
    ("v1", "PersistentVolumeClaim"): "V1PersistentVolumeClaim",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "V2HorizontalPodAutoscaler",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
}
# What tensorflow_model_server 2.19.1 was seen to export.
SEEN = {
    f":tensorflow:serving:{name}"
    for name in (
        "request_count",
        "request_latency",
        "runtime_latency",
        "model_warmup_latency",
        "batching:batch_delay_us_v2",
    )
}
OF_THE_BINARY_ALONE = {":tensorflow:serving:batching:batch_delay_us_v2"}
PARTS = re.compile(r"_(bucket|sum|count)$")


def manifests():
    files = sorted((HOME / "kubernetes").glob("*.yaml"))
    return [one for file in files for one in yaml.safe_load_all(file.read_text())]


def of_kind(kind):
    (one,) = [m for m in manifests() if m["kind"] == kind]
    return one


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: one["kind"])
def test_a_manifest_is_of_its_schema(manifest):
    pytest.importorskip("kubernetes")
    read_strictly(manifest, KINDS[manifest["apiVersion"], manifest["kind"]])


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("spec", "replica"), 1, "unknown field replica"),
        (("spec", "minReadySeconds"), "15", "no int"),
        (("spec", "selector"), None, "selector"),
        (("spec", "template", "spec", "containers", 0, "ports", 0, "port"), 1, "port"),
    ],
)
def test_a_manifest_with_a_mistake_is_found(path, value, told):
    """The check above can fail."""
    pytest.importorskip("kubernetes")
    manifest = of_kind("Deployment")
    *parents, last = path
    inner = manifest
    for step in parents:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    with pytest.raises(ValueError, match=told):
        read_strictly(manifest, "V1Deployment")


def test_the_manifests_speak_of_one_another():
    deployment = of_kind("Deployment")
    pods = deployment["spec"]["template"]
    labels = pods["metadata"]["labels"]
    assert of_kind("Service")["spec"]["selector"] == labels
    for kind in ("PodDisruptionBudget", "Deployment"):
        assert of_kind(kind)["spec"]["selector"]["matchLabels"] == labels
    scaled = of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", "psad")
    claim = of_kind("PersistentVolumeClaim")["metadata"]["name"]
    assert pods["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_server_has_the_ports_and_memory_of_the_settings():
    settings = read_settings()
    server, _ = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {one["name"]: one["containerPort"] for one in server["ports"]}
    assert ports == {"grpc": settings.server.port, "rest": settings.server.rest_port}
    assert server["resources"]["requests"]["memory"] == f"{settings.memory_mib}Mi"
    assert server["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {one["mountPath"] for one in server["volumeMounts"]} >= {
        settings.models[0].base_path
    }


def test_readiness_asks_for_status_and_a_canary(target, capsys):
    """The very command of the manifest, at a server that is there."""
    _, beside = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    python, dash_m, module, *flags = beside["readinessProbe"]["exec"]["command"]
    assert (python, dash_m, module) == ("python", "-m", probe.__name__)
    flags = [flag for flag in flags if not flag.startswith("--target=")]
    assert probe.main([*flags, f"--target={target}"]) == 0
    assert capsys.readouterr().out == "ready: version 1 of psad\n"


def expressions():
    rules = yaml.safe_load((HOME / "monitoring" / "rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    dashboard = json.loads((HOME / "monitoring" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for one in panel["targets"]:
            yield one["expr"]


def metrics_named():
    return {
        PARTS.sub("", name) if not name.endswith("request_count") else name
        for text in expressions()
        for name in re.findall(r":tensorflow:serving:[\w:]+", text)
    }


def test_rules_and_dashboard_name_what_the_real_server_exports():
    assert metrics_named() == SEEN


def test_the_embedded_server_exports_them_too(target, rest_url):
    with RerankClient(target, FEATURES) as client:
        client.rerank(ranking_list([1, 2]))
    url = f"{rest_url}/monitoring/prometheus/metrics"
    with urllib.request.urlopen(url, timeout=10) as reply:
        types = re.findall(r"^# TYPE (\S+) (\w+)$", reply.read().decode(), re.M)
    exported = {name for name, _ in types}
    # This model has no records to warm up with; test_servable has one that does.
    warm_up = {":tensorflow:serving:model_warmup_latency"}
    assert metrics_named() - OF_THE_BINARY_ALONE - warm_up <= exported


def test_each_alert_tells_what_to_do():
    rules = yaml.safe_load((HOME / "monitoring" / "rules.yaml").read_text())
    (group,) = rules["groups"]
    recorded = {rule["record"] for rule in group["rules"] if "record" in rule}
    used = re.findall(r"psad:[\w:]+", "".join(rule["expr"] for rule in group["rules"]))
    assert set(used) <= recorded
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    assert len(alerts) >= 6
    for alert in alerts:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"].keys() == {"summary", "action"}
        assert alert["expr"].count("(") == alert["expr"].count(")")
