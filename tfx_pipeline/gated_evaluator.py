"""The stock Evaluator, that also knows what to do before any model was blessed."""

from tfx import types
from tfx.components import Evaluator
from tfx.components.evaluator import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import standard_component_specs
from tfx.utils import path_utils

from tfx_pipeline.model_store import has_model


class Executor(executor.Executor):
    """Compares with the baseline where the baseline artifact holds a model.

    A component always emits its outputs, so "no model was blessed yet" arrives as an
    artifact without a model; the stock executor would fail to load it.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict,
    ) -> None:
        key = standard_component_specs.BASELINE_MODEL_KEY
        baselines = [
            artifact
            for artifact in input_dict.get(key, [])
            if has_model(path_utils.serving_model_path(artifact.uri))
        ]
        super().Do({**input_dict, key: baselines}, output_dict, exec_properties)


class GatedEvaluator(Evaluator):
    """Evaluator whose baseline may be absent."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
