"""The Evaluator whose blessing is the gate's.

TFMA measures, slices and keeps its results; it would decide on point estimates. The
gate decides here, on intervals of paired differences over the same lists.
"""

import json
from pathlib import Path

import tensorflow_model_analysis as tfma
from absl import logging
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import io_utils, json_utils, path_utils

from psad_tf.feature_sets import feature_set
from tfx_pipeline.gate.check import all_passed
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.judge import Judged, judge
from tfx_pipeline.gate.record import as_record, write_record

GATE_KEY, DATASET_KEY, CODE_KEY = "gate", "dataset", "code"
MODEL_RUN_KEY = "model_run"


class Executor(executor.Executor):
    """Decides first, then has TFMA measure the models that answered.

    A model that cannot be asked, or answers with what is no number, would stop TFMA and
    the report; here it is refused, and the run goes on to a short report.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict,
    ) -> None:
        (split,) = json_utils.loads(exec_properties[specs.EXAMPLE_SPLITS_KEY])
        baseline = input_dict[specs.BASELINE_MODEL_KEY][0]
        judged = judge(
            _model_path(input_dict[specs.MODEL_KEY][0]),
            _model_path(baseline),
            artifact_utils.get_split_uri(input_dict[specs.EXAMPLES_KEY], split),
            feature_set(exec_properties[DATASET_KEY]),
            GateConfig(**json.loads(exec_properties[GATE_KEY])),
            Path(artifact_utils.get_single_uri(input_dict[MODEL_RUN_KEY])),
        )
        if judged.answers:
            # A component always emits its outputs, so that "no model was blessed yet"
            # arrives as an artifact without a model.
            known = [baseline] if judged.blessed_answers else []
            inputs = {**input_dict, specs.BASELINE_MODEL_KEY: known}
            super().Do(inputs, output_dict, exec_properties)
        _write(judged, input_dict, output_dict)


def _model_path(artifact: types.Artifact) -> Path:
    return Path(path_utils.serving_model_path(artifact.uri))


def _write(judged: Judged, input_dict, output_dict) -> None:
    """Writes `gate.json` and the blessing, as the Pusher reads it."""
    model = input_dict[specs.MODEL_KEY][0]
    baseline = input_dict[specs.BASELINE_MODEL_KEY][0]
    record = as_record(
        judged.checks,
        lists=judged.lists,
        measured=judged.answers,
        blessed_version=baseline.get_string_custom_property("version"),
    )
    folder = artifact_utils.get_single_uri(output_dict[specs.EVALUATION_KEY])
    write_record(Path(folder), record)
    for check in judged.checks:
        if check.passed is False:
            logging.warning("The gate: %s", check.finding)
    is_blessed = all_passed(judged.checks)
    blessing = artifact_utils.get_single_instance(output_dict[specs.BLESSING_KEY])
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    names = constants.NOT_BLESSED_FILE_NAME, constants.BLESSED_FILE_NAME
    values = constants.NOT_BLESSED_VALUE, constants.BLESSED_VALUE
    io_utils.write_string_file(str(Path(blessing.uri, names[is_blessed])), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, values[is_blessed]
    )


class GatedEvaluatorSpec(specs.EvaluatorSpec):
    """The Evaluator's, with what the gate needs besides."""

    PARAMETERS = {
        **specs.EvaluatorSpec.PARAMETERS,
        GATE_KEY: ExecutionParameter(type=str),
        DATASET_KEY: ExecutionParameter(type=str),
        CODE_KEY: ExecutionParameter(type=str),
    }
    INPUTS = {
        **specs.EvaluatorSpec.INPUTS,
        MODEL_RUN_KEY: ChannelParameter(type=standard_artifacts.ModelRun),
    }


class GatedEvaluator(base_beam_component.BaseBeamComponent):
    """Measures a model on a split with TFMA, and blesses it if the gate lets it pass.

    Args:
        examples: The lists.
        split: Which of them.
        model: The model.
        model_run: The training's logs.
        baseline_model: What clients get now; its artifact may hold no model.
        schema: Of the lists.
        eval_config: What TFMA measures.
        gate: The bounds.
        dataset: The data set's name.
        code: A fingerprint of the code, for the cache.
    """

    SPEC_CLASS = GatedEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        split: str,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        baseline_model: types.BaseChannel,
        schema: types.BaseChannel,
        eval_config: tfma.EvalConfig,
        gate: str,
        dataset: str,
        code: str,
    ):
        spec = GatedEvaluatorSpec(
            examples=examples,
            model=model,
            model_run=model_run,
            baseline_model=baseline_model,
            schema=schema,
            eval_config=eval_config,
            example_splits=json_utils.dumps([split]),
            module_path="tfx_pipeline.evaluation",
            gate=gate,
            dataset=dataset,
            code=code,
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
