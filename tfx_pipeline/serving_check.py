"""Proves that the real server answers right with this model, before it is pushed."""

import json
from pathlib import Path

from absl import logging
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model
from tfx.utils import path_utils

from psad_tf.feature_sets import feature_set
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.served import check_served
from tfx_pipeline.serving_lists import sample_lists

RESULT_FILE = "serving_check.json"


@component
def ServingCheck(
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    infra_blessing: OutputArtifact[InfraBlessing],
    dataset: Parameter[str],
    gate: Parameter[str],
    code: Parameter[str],
):
    """Starts the model server on the candidate model and sends it test lists.

    Blesses the model when all of `tfx_pipeline.gate.served` holds.

    Args:
        dataset: The data set's name.
        gate: What `GateConfig.of_serving` gives, as JSON.
        code: A fingerprint of the code, for the cache.
    """
    features, bounds = feature_set(dataset), GateConfig(**json.loads(gate))
    split = artifact_utils.get_split_uri([examples], "test")
    chosen = sample_lists(split, features, bounds.serving_lists)
    path = Path(path_utils.serving_model_path(model.uri))
    result = check_served(path, chosen, features, bounds)
    logging.info("Serving check: %s", result)
    folder = Path(infra_blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT_FILE).write_text(json.dumps(result, indent=1))
    blessed = result["passed"]
    (folder / ("INFRA_BLESSED" if blessed else "INFRA_NOT_BLESSED")).write_text("")
    infra_blessing.set_int_custom_property("blessed", int(blessed))
