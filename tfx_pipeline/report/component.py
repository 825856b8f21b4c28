"""The report as the pipeline's last component."""

import json
from datetime import UTC, datetime
from pathlib import Path

from absl import logging
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import (
    ExampleAnomalies,
    Examples,
    ExampleStatistics,
    InfraBlessing,
    Model,
    ModelBlessing,
    ModelEvaluation,
    ModelRun,
    PushedModel,
)
from tfx.utils import path_utils

from tfx_pipeline.artifacts import DataVerdict, PipelineReport, PreparedLog
from tfx_pipeline.report.card import write_card
from tfx_pipeline.report.files import PAGE
from tfx_pipeline.report.inputs import ReportInputs
from tfx_pipeline.report.write import write_report


@component
def Report(
    examples: InputArtifact[Examples],
    log: InputArtifact[PreparedLog],
    statistics: InputArtifact[ExampleStatistics],
    anomalies: InputArtifact[ExampleAnomalies],
    verdict: InputArtifact[DataVerdict],
    model: InputArtifact[Model],
    model_run: InputArtifact[ModelRun],
    evaluation: InputArtifact[ModelEvaluation],
    model_blessing: InputArtifact[ModelBlessing],
    infra_blessing: InputArtifact[InfraBlessing],
    pushed_model: InputArtifact[PushedModel],
    report: OutputArtifact[PipelineReport],
    settings: Parameter[str],
):
    """Writes the page, its figures and three lists (see `write_report`).

    Of a model that was pushed, also its card, beside the version.

    Args:
        settings: The `PipelineConfig` as JSON.
    """
    inputs = ReportInputs(
        examples=Path(examples.uri),
        log=Path(log.uri),
        statistics=Path(statistics.uri),
        anomalies=Path(anomalies.uri),
        data_gate=Path(verdict.uri),
        model=Path(path_utils.serving_model_path(model.uri)),
        model_run=Path(model_run.uri),
        evaluation=Path(evaluation.uri),
        infra_blessing=Path(infra_blessing.uri),
        model_blessed=model_blessing.get_int_custom_property("blessed") == 1,
        infra_blessed=infra_blessing.get_int_custom_property("blessed") == 1,
        pushed=pushed_model.get_int_custom_property("pushed") == 1,
        pushed_version=pushed_model.get_string_custom_property("pushed_version"),
        pushed_destination=pushed_model.get_string_custom_property(
            "pushed_destination"
        ),
        settings=json.loads(settings),
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )
    summary = write_report(inputs, Path(report.uri))
    write_card(summary)
    logging.info("%s", summary["decision"]["sentence"])
    logging.info("Report: %s", Path(report.uri) / PAGE)
