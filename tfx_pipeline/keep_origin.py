"""Keeps what the next run needs of a version that was pushed."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import (
    ExampleStatistics,
    ModelRun,
    PushedModel,
    TransformGraph,
)

from tfx_pipeline.artifacts import DataVerdict
from tfx_pipeline.origins import VERDICT, WEIGHTS_FILE, keep_origin


@component
def KeepOrigin(
    pushed_model: InputArtifact[PushedModel],
    model_run: InputArtifact[ModelRun],
    transform_graph: InputArtifact[TransformGraph],
    statistics: InputArtifact[ExampleStatistics],
    verdict: InputArtifact[DataVerdict],
    model_store: Parameter[str],
    spans: Parameter[str],
):
    """Keeps weights, vocabularies and statistics beside the version, if it was pushed.

    Args:
        model_store: The model store.
        spans: That the version learned from; empty where there are none.
    """
    if not pushed_model.get_int_custom_property("pushed"):
        return
    keep_origin(
        model_store,
        int(pushed_model.get_string_custom_property("pushed_version")),
        spans,
        weights=Path(model_run.uri, WEIGHTS_FILE),
        transform=Path(transform_graph.uri),
        statistics=Path(statistics.uri),
        verdict=Path(verdict.uri, VERDICT),
    )
