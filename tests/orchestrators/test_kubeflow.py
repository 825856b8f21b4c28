"""The compiled specs, and a walk through the open-source one to the pushed model."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from platform_walk import Walk

from psad_tf.data.examples import decode_list, encode_list
from psad_tf.feature_sets import CLICK_WORLD
from schemas import schema_path

CLUSTER = {
    "image": "registry/psad-pipeline:1",
    "claim": "psad-data",
    "secrets": {"psad-store": {"key": "AWS_SECRET_ACCESS_KEY"}},
    "gpus": {"Trainer": 1},
    "gpu_nodes": {"pool": "gpu"},
}
VERTEX = {
    "image": "registry/psad-pipeline:1",
    "pipeline_root": "gs://bucket/psad",
    "gpus": {"Trainer": 2},
    "gpu_type": "NVIDIA_L4",
}


def compile_for(server, workplace: Path, target: str, cluster: dict, name: str):
    """Has `psad pipeline compile` write a spec; the process and the file."""
    settings, out = workplace / f"{name}.cluster.json", workplace / name
    settings.write_text(json.dumps(cluster))
    (span,) = (workplace / "logs").iterdir()
    done = server.run(
        *("psad", "pipeline", "compile", f"--target={target}", f"--out={out}"),
        *(f"--cluster={settings}", "--dataset=click-world", f"--raw={span}"),
        *(
            f"--config={workplace / 'settings.json'}",
            f"--root={workplace / 'kubeflow'}",
        ),
    )
    return done, out


@pytest.fixture(scope="module")
def documents(server, workplace):
    done, out = compile_for(server, workplace, "kubeflow", CLUSTER, "psad.yaml")
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(out.read_text()))


@pytest.fixture(scope="module")
def vertex(server, workplace):
    done, out = compile_for(server, workplace, "vertex", VERTEX, "psad.json")
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def walk(server, workplace, documents):
    one = Walk(documents[0], workplace / "walk", server.run)
    one.to_the_end()
    return one


def containers(spec: dict) -> dict[str, dict]:
    executors = spec["deploymentSpec"]["executors"]
    return {
        name: executors[component["executorLabel"]]["container"]
        for name, component in spec["components"].items()
    }


def test_all_tasks_are_containers_of_the_image(documents):
    """No resolver and no importer: the open-source platform runs the former not."""
    spec, _ = documents
    executors = spec["deploymentSpec"]["executors"].values()
    assert all(set(one) == {"container"} for one in executors)
    assert {c["image"] for c in containers(spec).values()} == {CLUSTER["image"]}
    command = ["python", "-m", "tfx_pipeline.runners.kubeflow_entrypoint"]
    assert all(c["command"] == command for c in containers(spec).values())


def test_the_order_of_the_tasks_is_that_of_the_data(documents):
    spec, _ = documents
    waits = {
        name: set(task.get("dependentTasks", []))
        for name, task in spec["root"]["dag"]["tasks"].items()
    }
    assert waits["PrepareLog"] == waits["LastBlessed"] == set()
    assert waits["ListExampleGen"] == {"PrepareLog"}
    assert {"ListExampleGen", "ImportSchemaGen"} <= waits["Transform"]
    assert "Transform" in waits["Trainer"]
    assert {"Trainer", "LastBlessed", "ListExampleGen"} <= waits["GatedEvaluator"]
    assert {"GatedEvaluator", "ServingCheck", "Trainer"} <= waits["StorePusher"]
    assert "StorePusher" in waits["Report"]


def test_what_depends_on_the_store_is_never_cached(documents):
    tasks = documents[0]["root"]["dag"]["tasks"]
    cached = {n for n, t in tasks.items() if t.get("cachingOptions")}
    assert "LastBlessed" not in cached
    assert {"PrepareLog", "Transform", "Trainer"} <= cached


def test_the_open_source_spec_has_types_that_the_platform_knows(documents):
    for component in documents[0]["components"].values():
        for side in ("inputDefinitions", "outputDefinitions"):
            for artifact in component.get(side, {}).get("artifacts", {}).values():
                assert artifact["artifactType"]["schemaTitle"] == "system.Artifact"


def test_pods_get_the_volume_the_secrets_and_gpus(documents):
    spec, platform = documents
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(pods) == set(spec["deploymentSpec"]["executors"])
    for pod in pods.values():
        assert pod["pvcMount"] == [{"constant": "psad-data", "mountPath": "/data"}]
        (secret,) = pod["secretAsEnv"]
        assert secret["secretName"] == "psad-store"
        assert secret["keyToEnv"] == [
            {"secretKey": "key", "envVar": "AWS_SECRET_ACCESS_KEY"}
        ]
    on_gpus = {label for label, pod in pods.items() if "nodeSelector" in pod}
    assert on_gpus == {spec["components"]["Trainer"]["executorLabel"]}
    (label,) = on_gpus
    assert pods[label]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    accelerator = containers(spec)["Trainer"]["resources"]["accelerator"]
    assert accelerator["resourceType"] == "nvidia.com/gpu"
    assert accelerator["resourceCount"] == "1"


def test_both_documents_are_of_the_platforms_schemas(documents, vertex):
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    spec, platform = documents
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    json_format.ParseDict(vertex, pipeline_spec_pb2.PipelineJob())


def test_vertex_gets_its_bucket_types_and_gpus(vertex):
    assert vertex["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/psad"
    spec = vertex["pipelineSpec"]
    accelerator = containers(spec)["Trainer"]["resources"]["accelerator"]
    assert (accelerator["type"], accelerator["count"]) == ("NVIDIA_L4", "2")
    trained = spec["components"]["Trainer"]["outputDefinitions"]["artifacts"]["model"]
    assert "title: tfx.Model" in trained["artifactType"]["instanceSchema"]
    log = spec["components"]["PrepareLog"]["outputDefinitions"]["artifacts"]["log"]
    assert "title: psad.PreparedLog" in log["artifactType"]["instanceSchema"]


@pytest.mark.parametrize(
    ("target", "cluster", "told"),
    [
        ("kubeflow", {"image": "i"}, "claim=''.*name the persistent volume claim"),
        ("kubeflow", CLUSTER | {"gpus": {"Train": 1}}, "'Train' is unknown"),
        ("vertex", {"image": "i"}, "pipeline_root=''.*gs://bucket"),
        ("vertex", VERTEX | {"claim": "c"}, "claim='c'.*leave it out"),
        ("vertex", {"imag": "i"}, r"unknown \['imag'\].*known: image"),
    ],
)
def test_a_cluster_that_does_not_fit_is_refused(
    server, workplace, target, cluster, told
):
    done, out = compile_for(server, workplace, target, cluster, "refused")
    assert done.returncode == 3
    assert re.search(told, done.stderr, re.DOTALL), done.stderr
    assert not out.exists()


def test_the_walk_ends_with_a_pushed_model(walk, workplace, documents):
    assert set(walk.order) == set(documents[0]["root"]["dag"]["tasks"])
    pushed = walk.artifact("StorePusher", "pushed_model")["metadata"]
    assert pushed["pushed"] == 1
    store = workplace / "kubeflow" / "models"
    version = store / pushed["pushed_version"]
    assert (version / "saved_model.pb").is_file()


def test_the_platform_is_told_the_uris_of_its_bucket(walk):
    told = [a["uri"] for task in walk.order for a in walk.outputs(task).values()]
    assert len(told) > len(walk.order)
    assert all(uri.startswith("minio://mlpipeline/") for uri in told)


def test_the_walk_wrote_the_report_into_the_bucket(walk):
    report = walk.folder("Report", "report")
    metrics = json.loads((report / "metrics.json").read_text())
    assert metrics["decision"]["pushed"] is True


def test_the_real_server_answers_as_the_model_does(walk):
    """Also the longest lists with the longest past, and the shortest without one."""
    folder = walk.folder("ServingCheck", "infra_blessing")
    found = json.loads((folder / "serving_check.json").read_text())
    assert (found["passed"], found["lists"]) == (True, 1 + 2), found["reason"]
    assert max(found["serving_default"], found["rank"]) <= 1e-4


def test_the_true_relevance_is_no_input(walk):
    import tensorflow as tf
    import tensorflow_transform as tft

    from tfx_pipeline.report.served import read_serialized
    from tfx_pipeline.trainer import serving_spec

    stored = read_serialized(walk.folder("ListExampleGen", "examples") / "Split-train")
    one = decode_list(stored[0], CLICK_WORLD)
    other = replace(one, truth=[{"true_relevance": 9.0} for _ in one.truth])
    encoded = [encode_list(x, CLICK_WORLD) for x in (one, other)]
    assert encoded[0] != encoded[1]
    spec = serving_spec(str(schema_path(CLICK_WORLD.name)), CLICK_WORLD)
    assert "candidate_true_relevance" not in spec
    fitted = tft.TFTransformOutput(str(walk.folder("Transform", "transform_graph")))
    transform = fitted.transform_features_layer()
    for name, made in transform(tf.io.parse_example(encoded, spec)).items():
        np.testing.assert_array_equal(*made, err_msg=name)
