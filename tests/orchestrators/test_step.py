"""`psad pipeline step`: what one task does, and what it refuses."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def step(server, workplace):
    """Runs a component on a root of its own."""
    flags = [f"--config={workplace / 'settings.json'}", "--dataset=click-world"]
    flags += [f"--raw={workplace / 'logs'}", f"--root={workplace / 'steps'}"]
    (span,) = (workplace / "logs").iterdir()
    flags += [f"--span={span.name.removeprefix('span-')}"]

    def run(component, *more, run_id="one"):
        words = ["psad", "pipeline", "step", component, f"--run-id={run_id}"]
        return server.run(*words, *flags, *more)

    return run


def test_a_step_tells_its_outputs(step, workplace):
    done = step("ImportSchemaGen")
    assert done.returncode == 0, done.stderr
    folder = workplace / "steps" / "artifacts" / "ImportSchemaGen" / "schema"
    assert f"schema: {folder}" in done.stdout


def test_a_step_that_is_done_is_not_done_again(step):
    first, again = step("ImportSchemaGen"), step("ImportSchemaGen")
    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_a_step_before_its_inputs_fails_and_names_them(step):
    done = step("StatisticsGen", run_id="two")
    assert done.returncode == 1
    assert "StatisticsGen of run 'two' has no outputs; it needs ListExampleGen" in (
        done.stderr
    )


def test_a_step_that_failed_can_be_run_again(step, workplace):
    """What it lacked came in the meantime; the failure's number is taken over."""
    assert step("StatisticsGen", run_id="three").returncode == 1
    for component in ("PrepareLog", "ListExampleGen", "StatisticsGen"):
        done = step(component, run_id="three")
        assert done.returncode == 0, done.stderr
    outputs = workplace / "steps" / "artifacts" / "StatisticsGen" / "statistics"
    assert len([p for p in outputs.iterdir() if p.name.isdigit()]) == 1


@pytest.mark.parametrize(
    ("component", "flag", "told"),
    [
        ("Trainr", "", "component 'Trainr' is unknown; known: "),
        ("Trainer", "--graph=0", "write it anew with `psad pipeline airflow`"),
        ("Trainer", "--gate={", "--gate={: not valid JSON"),
        ("Trainer", '--gate={"min": 1}', "give a JSON object of thresholds; known: "),
        ("Trainer", "--gate=[1]", "give a JSON object of thresholds"),
        ("Trainer", "--span=7", "no span-7"),
        ("Trainer", "--raw=s3://bucket/logs", "reads a local folder"),
    ],
)
def test_wrong_arguments_are_refused(step, component, flag, told):
    done = step(component, *filter(None, [flag]))
    assert done.returncode == 3
    assert told in done.stderr


def test_the_options_of_a_beam_component_win(server, workplace):
    """On the command line of a compiled component, the later of two flags counts."""
    settings = json.loads((workplace / "settings.json").read_text())
    own = ["--runner=DataflowRunner", "--region=europe-west4"]
    settings["beam_args_by_component"] = {"Transform": own}
    beam, cluster = workplace / "beam.json", workplace / "beam.cluster.json"
    beam.write_text(json.dumps(settings))
    cluster.write_text(json.dumps({"image": "i", "pipeline_root": "gs://b/r"}))
    (span,) = (workplace / "logs").iterdir()
    done = server.run(
        *("psad", "pipeline", "compile", "--target=vertex", f"--cluster={cluster}"),
        *(f"--config={beam}", "--dataset=click-world", f"--raw={span}"),
        f"--out={workplace / 'beam.out'}",
    )
    assert done.returncode == 0, done.stderr
    spec = json.loads((workplace / "beam.out").read_text())["pipelineSpec"]
    args = {
        label: [a for a in one["container"]["args"] if a.startswith("--runner=")]
        for label, one in spec["deploymentSpec"]["executors"].items()
    }
    label = spec["components"]["Transform"]["executorLabel"]
    assert args.pop(label) == ["--runner=FnApiRunner", "--runner=DataflowRunner"]
    assert {flag for flags in args.values() for flag in flags} == {
        "--runner=FnApiRunner"
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Trainer": ["--runner=X"]}, "Trainer: give one of .*Transform"),
        ({"Transform": ["runner=X"]}, "must be a list of flags"),
        ({"Transform": "--runner=X"}, "must be a list of flags"),
    ],
)
def test_wrong_beam_options_are_refused(step, workplace, given, told):
    settings = json.loads((workplace / "settings.json").read_text())
    file = workplace / "wrong_beam.json"
    file.write_text(json.dumps(settings | {"beam_args_by_component": given}))
    done = step("Trainer", f"--config={file}")
    assert done.returncode == 3
    assert re.search(told, done.stderr), done.stderr
