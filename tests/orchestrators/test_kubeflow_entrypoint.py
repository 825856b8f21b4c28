"""What our entry point mends of an ExecutorInput; TFX is not needed for that."""

import subprocess
import sys

import pytest

from tfx_pipeline.runners.kubeflow_entrypoint import local_folder, localize, on_dataflow

TYPES = {"inputs": {"log": "a.Log"}, "outputs": {"examples": "b.Examples"}}


def asked(**changes):
    """One input and one output, as the open-source platform tells them."""
    log = {"name": "7", "uri": "minio://bucket/log", "type": {"instanceSchema": ""}}
    examples = {"uri": "gs://bucket/examples"}
    return {
        "inputs": {"artifacts": {"log": {"artifacts": [log | changes]}}},
        "outputs": {"artifacts": {"examples": {"artifacts": [examples]}}},
    }


def first(executor_input, side, name):
    return executor_input[side]["artifacts"][name]["artifacts"][0]


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("gs://bucket/a/b", "/gcs/bucket/a/b"),
        ("minio://mlpipeline/a", "/minio/mlpipeline/a"),
        ("s3://bucket/a", "/s3/bucket/a"),
    ],
)
def test_a_uri_has_the_folder_that_platforms_give_it(uri, folder):
    assert local_folder(uri, "/") == folder


@pytest.mark.parametrize("uri", ["", "/data/log", "hdfs://host/log"])
def test_a_uri_of_no_bucket_is_refused(uri):
    with pytest.raises(ValueError, match=f"uri={uri}: .*root to a bucket"):
        local_folder(uri, "/")


def test_each_artifact_gets_its_class_whatever_came():
    for given in ({"instanceSchema": ""}, {"schemaTitle": "system.Dataset"}, {}):
        mended = asked(type=given)
        localize(mended, TYPES, "/")
        assert first(mended, "inputs", "log")["type"] == {"schemaTitle": "a.Log"}
        assert first(mended, "outputs", "examples")["type"] == {
            "schemaTitle": "b.Examples"
        }


def test_each_artifact_gets_its_folder_and_the_way_back():
    mended = asked()
    uris = localize(mended, TYPES, "/mount")
    assert first(mended, "inputs", "log")["uri"] == "/mount/minio/bucket/log"
    assert uris == {
        "/mount/minio/bucket/log": "minio://bucket/log",
        "/mount/gcs/bucket/examples": "gs://bucket/examples",
    }


def test_an_artifact_without_a_name_is_named_for_its_uri():
    mended = asked()
    localize(mended, TYPES, "/")
    assert first(mended, "inputs", "log")["name"] == "7"
    assert first(mended, "outputs", "examples")["name"] == "gs://bucket/examples"


@pytest.mark.parametrize(
    ("runners", "is_there"),
    [
        ([], False),
        (["FnApiRunner"], False),
        (["FnApiRunner", "DataflowRunner"], True),
        (["DataflowRunner", "FnApiRunner"], False),
    ],
)
def test_the_last_runner_tells_whether_workers_are_on_dataflow(runners, is_there):
    assert on_dataflow(["--region=r", *(f"--runner={r}" for r in runners)]) == is_there


def test_on_dataflow_an_executor_is_given_uris():
    mended = asked()
    uris = localize(mended, TYPES, None)
    assert first(mended, "inputs", "log")["uri"] == "minio://bucket/log"
    assert set(uris) == set(uris.values())
    assert first(mended, "inputs", "log")["type"] == {"schemaTitle": "a.Log"}


def test_a_task_without_inputs_is_fine():
    assert localize({"inputs": {}, "outputs": {}}, TYPES, "/") == {}


def test_a_command_line_without_types_is_refused_before_tfx_is_imported():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m"]
        + ["tfx_pipeline.runners.kubeflow_entrypoint", "--executor_class_path=a.B"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "--artifact_types" in done.stderr
    assert "tensorflow" not in done.stderr
