"""The component hands the run's folders and flags to the report, unchanged."""

import json
from pathlib import Path

import pytest
from report_run import settings
from tfx.types import standard_artifacts

from tfx_pipeline.artifacts import DataVerdict, PipelineReport, PreparedLog
from tfx_pipeline.report import component

INPUTS = {
    "examples": standard_artifacts.Examples,
    "log": PreparedLog,
    "statistics": standard_artifacts.ExampleStatistics,
    "anomalies": standard_artifacts.ExampleAnomalies,
    "verdict": DataVerdict,
    "model": standard_artifacts.Model,
    "model_run": standard_artifacts.ModelRun,
    "evaluation": standard_artifacts.ModelEvaluation,
    "model_blessing": standard_artifacts.ModelBlessing,
    "infra_blessing": standard_artifacts.InfraBlessing,
    "pushed_model": standard_artifacts.PushedModel,
}


@pytest.fixture
def calls(monkeypatch) -> list:
    found = []

    def write_report(inputs, out):
        found.append((inputs, out))
        return {"decision": {"sentence": "Pushed.", "pushed": False}}

    monkeypatch.setattr(component, "write_report", write_report)
    return found


def execute(root: Path, blessed: int, served: int, pushed: int) -> None:
    artifacts = {}
    for name, kind in INPUTS.items():
        artifacts[name] = kind()
        artifacts[name].uri = str(root / name)
    artifacts["model_blessing"].set_int_custom_property("blessed", blessed)
    artifacts["infra_blessing"].set_int_custom_property("blessed", served)
    model = artifacts["pushed_model"]
    model.set_int_custom_property("pushed", pushed)
    if pushed:
        model.set_string_custom_property("pushed_version", "17")
        model.set_string_custom_property("pushed_destination", "/store/17")
    report = PipelineReport()
    report.uri = str(root / "report")
    component.Report.EXECUTOR_SPEC.executor_class().Do(
        {name: [artifact] for name, artifact in artifacts.items()},
        {"report": [report]},
        {"settings": json.dumps(settings(root))},
    )


def test_a_pushed_model(calls, tmp_path):
    execute(tmp_path, blessed=1, served=1, pushed=1)

    ((inputs, out),) = calls
    assert out == tmp_path / "report"
    assert inputs.model == tmp_path / "model" / "Format-Serving"
    assert inputs.split("test") == tmp_path / "examples" / "Split-test"
    assert inputs.evaluation == tmp_path / "evaluation"
    assert inputs.data_gate == tmp_path / "verdict"
    assert inputs.infra_blessing == tmp_path / "infra_blessing"
    assert (inputs.model_blessed, inputs.infra_blessed, inputs.pushed) == (True,) * 3
    assert (inputs.pushed_version, inputs.pushed_destination) == ("17", "/store/17")
    assert inputs.settings == settings(tmp_path)


def test_a_model_that_only_the_evaluator_blessed(calls, tmp_path):
    execute(tmp_path, blessed=1, served=0, pushed=0)

    inputs = calls[0][0]
    assert (inputs.model_blessed, inputs.infra_blessed, inputs.pushed) == (
        True,
        False,
        False,
    )
    assert (inputs.pushed_version, inputs.pushed_destination) == ("", "")


def test_the_component_takes_every_outcome_of_a_run():
    assert set(component.Report.SPEC_CLASS.INPUTS) == set(INPUTS)
    assert set(component.Report.SPEC_CLASS.OUTPUTS) == {"report"}
