"""The DAG in Airflow itself, on its SQLite back end, to a pushed model."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from airflow_environment import in_airflow
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as pb

from psad_tf.feature_sets import CLICK_WORLD
from serving.client import RerankClient
from serving.leash import leashed
from serving.probe import canary

DAG_ID = "psad_click_world"
KILLED = "ListExampleGen"
SPAN = 20_454  # the folder's name


def write_dag(server, workplace: Path, name: str, *flags: str) -> Path:
    """Has `psad pipeline airflow` write the DAG; tasks are forks of the server."""
    folder = workplace / name
    psad = f"--psad={' '.join([*server.begin, 'psad'])}"
    places = [f"--out={folder}", f"--root={workplace / 'root'}", psad]
    places += [f"--raw={workplace / 'logs'}", "--window=1", "--dataset=click-world"]
    places += [f"--config={workplace / 'settings.json'}"]
    done = server.run("psad", "pipeline", "airflow", *places, *flags)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def model_server(workplace):
    """`host:port` of a model server that waits for its first version, on a leash."""
    base, port = workplace / "root" / "models", free_port()
    base.mkdir(parents=True)
    line = [sys.executable, "-m", "serving.server"]
    line += [f"--model_base_path={base}", f"--port={port}"]
    process = subprocess.Popen(leashed(line), stdin=subprocess.PIPE)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(60)
    process.stdin.close()


@pytest.fixture(scope="module")
def dags(server, workplace, model_server):
    # No client is asked about the first version: there is nothing to compare it with.
    pages = "--stable-metrics=none --canary-metrics=none"
    canary = f"--canary=--server={model_server} {pages}"
    folder = write_dag(server, workplace, "dags", canary)
    file = folder / f"{DAG_ID}.json"
    plan = json.loads(file.read_text()) | {"retry_seconds": 0}
    file.write_text(json.dumps(plan))
    return folder


@pytest.fixture(scope="module")
def runs(server, workplace, dags):
    """A run in which one task is killed, and one with a threshold nothing reaches."""
    killer = threading.Thread(
        target=kill_when_writing, args=(server.process.pid, workplace), daemon=True
    )
    killer.start()
    confs = [{"span": SPAN}, {"span": SPAN, "gate": {"min_ndcg": 0.99}}]
    home = workplace / "airflow"
    ran = in_airflow(home, do="run", folder=str(dags), dag_id=DAG_ID, confs=confs)
    assert not killer.is_alive(), f"{KILLED} was never seen at work"
    return ran


def kill_when_writing(server: int, workplace: Path) -> None:
    """Kills the task as soon as it has written into the folder of its output."""
    output = workplace / "root" / "artifacts" / KILLED / "examples"
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if any(output.glob("*/*")):
            psutil.Process(server).children()[0].kill()
            return
        time.sleep(0.001)


def test_the_dag_is_parsed_within_5_s_and_without_tfx(dags, tmp_path):
    found = in_airflow(tmp_path, do="parse", folder=str(dags))
    plan = json.loads((dags / f"{DAG_ID}.json").read_text())
    assert (found["errors"], found["heavy"]) == ({}, [])
    assert found["seconds"] < 5
    upstream = found["dags"][DAG_ID]["upstream"]
    assert upstream.pop("Release") == sorted(plan["steps"])
    assert upstream == plan["steps"]
    assert found["dags"][DAG_ID]["kinds"] == ["BashOperator"]


def test_with_an_image_each_task_is_a_pod(server, workplace, tmp_path):
    canary = "--canary=--server host:1 --stable-metrics a --canary-metrics b"
    image = "--image=registry/psad:1"
    folder = write_dag(server, workplace, "pods", image, canary)
    found = in_airflow(tmp_path, do="parse", folder=str(folder))
    assert found["errors"] == {}
    dag = found["dags"][DAG_ID]
    assert dag["kinds"] == ["KubernetesPodOperator"]
    assert dag["pods"]["Trainer"] == str(folder / "psad_gpu_pod.yaml")
    assert dag["pods"]["Report"] == str(folder / "psad_pod.yaml")
    assert all(Path(file).is_file() for file in dag["pods"].values())
    assert "pipeline step Trainer" in dag["commands"]["Trainer"]
    assert "--run-id {{ run_id }}" in dag["commands"]["Trainer"]
    store = workplace / "root" / "models"
    assert dag["commands"]["Release"].endswith(
        f"psad models release --store={store} --server host:1 --stable-metrics a "
        "--canary-metrics b"
    )


def test_a_canary_that_cannot_be_is_refused_when_the_dag_is_written(
    server, workplace, tmp_path
):
    flags = ("--canary=--server host:1", f"--out={tmp_path}", "--dataset=click-world")
    done = server.run("psad", "pipeline", "airflow", *flags)
    assert done.returncode == 2
    assert "--stable-metrics" in done.stderr and not any(tmp_path.iterdir())


def test_a_run_ends_with_a_pushed_model(runs, workplace):
    first = runs[0]
    assert first["state"] == "success"
    assert set(first["states"].values()) == {"success"}
    store = workplace / "root" / "models"
    assert len([p for p in store.iterdir() if p.name.isdigit()]) == 1


def test_a_pushed_version_is_released_at_the_server(runs, model_server, workplace):
    (version,) = (p.name for p in (workplace / "root" / "models").glob("[0-9]*"))
    with RerankClient(model_server, CLICK_WORLD, version="stable") as client:
        answer = client.rerank(canary(CLICK_WORLD), timeout=30)
    assert str(answer.model_version) == version


def test_a_task_that_was_killed_is_tried_again(runs):
    tries = runs[0]["tries"]
    assert tries.pop(KILLED) == 2
    assert set(tries.values()) == {1}


def test_a_retry_leaves_one_output(runs, workplace):
    """The second attempt takes over the first one's number and empty folder."""
    store = metadata_store(workplace / "root" / "metadata.sqlite")
    run = store.get_context_by_type_and_name("pipeline_run", runs[0]["run_id"])
    executions = store.get_executions_by_context(run.id)
    (tried,) = [e for e in executions if e.type.endswith(f".{KILLED}")]
    assert tried.last_known_state == pb.Execution.COMPLETE
    events = store.get_events_by_execution_ids([tried.id])
    (output,) = [e.artifact_id for e in events if e.type == pb.Event.OUTPUT]
    (examples,) = store.get_artifacts_by_id([output])
    assert examples.state == pb.Artifact.LIVE
    folders = [p.name for p in Path(examples.uri).rglob("*") if p.is_dir()]
    assert sorted(folders) == ["Split-test", "Split-train", "Split-validation"]


def test_a_threshold_of_the_run_is_obeyed_and_the_push_skipped(runs, workplace):
    refused = runs[1]
    assert refused["state"] == "success"
    states = refused["states"]
    assert states.pop("StorePusher") == states.pop("Release") == "skipped"
    assert set(states.values()) == {"success"}
    store = workplace / "root" / "models"
    assert len([p for p in store.iterdir() if p.name.isdigit()]) == 1


def test_the_server_is_not_checked_again_for_a_threshold_of_another_check(
    runs, workplace
):
    store = metadata_store(workplace / "root" / "metadata.sqlite")
    states = {}
    for one in runs:
        run = store.get_context_by_type_and_name("pipeline_run", one["run_id"])
        for execution in store.get_executions_by_context(run.id):
            name = execution.type.rpartition(".")[2]
            states.setdefault(name, []).append(execution.last_known_state)
    done, cached = pb.Execution.COMPLETE, pb.Execution.CACHED
    assert states["ServingCheck"] == [done, cached]
    assert states["GatedEvaluator"] == [done, done]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def metadata_store(file: Path) -> MetadataStore:
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READONLY
    return MetadataStore(config)
