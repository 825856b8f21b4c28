"""The baseline: the newest version in the model store, that is, what clients get now.

TFX's own Resolver does the like through its metadata, but open-source Kubeflow
Pipelines cannot run it, and it would not notice a version that was rolled back.
"""

import shutil
from pathlib import Path

from absl import logging
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from tfx_pipeline.model_store import versions


@component
def LastBlessed(model: OutputArtifact[Model], model_store: Parameter[str]):
    """Emits the newest version of the store; an artifact without a model if none."""
    known = versions(model_store)
    if not known:
        logging.info("No version in %s: nothing to compare with.", model_store)
        return
    destination = Path(path_utils.serving_model_path(model.uri))
    shutil.copytree(Path(model_store) / str(known[-1]), destination)
    model.set_string_custom_property("version", str(known[-1]))
