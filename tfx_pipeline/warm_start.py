"""Begins a training where the last blessed model's ended, if the data allows it."""

import json
import logging
import shutil
from pathlib import Path

import keras
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from psad_tf.features import FeatureSet
from psad_tf.model import PSAD
from tfx_pipeline.artifacts import DataVerdict
from tfx_pipeline.carry_over import (
    CannotCarryError,
    by_path,
    carried,
    read_vocabularies,
    row_sources,
)
from tfx_pipeline.origins import (
    VOCABULARIES,
    WEIGHTS_FILE,
    last_origin,
    vocabulary_files,
)

START_FILE = "warm_start.json"


@component
def WarmStart(
    verdict: InputArtifact[DataVerdict],
    model: OutputArtifact[Model],
    model_store: Parameter[str],
    spans: Parameter[str],
    is_wanted: Parameter[int],
):
    """Emits the last blessed model's weights and vocabularies, to begin from.

    Emits none where none are wanted or known, or where the data gate found that the
    data has drifted too far from theirs; `warm_start.json` says which.

    Args:
        model_store: The model store.
        spans: Of the run; empty where there are none.
        is_wanted: 1 to begin from old weights, 0 for a training from scratch.
    """
    folder = Path(path_utils.serving_model_path(model.uri))
    folder.mkdir(parents=True, exist_ok=True)
    origin = last_origin(model_store, spans) if is_wanted else None
    if not is_wanted:
        why = "none was asked for"
    elif origin is None:
        why = "no blessed model of earlier data has kept its weights"
    elif verdict.get_int_custom_property("cold"):
        why = f"the data drifted too far from that of version {origin.version}"
        origin = None
    else:
        why = ""
        shutil.copy(origin.folder / WEIGHTS_FILE, folder / WEIGHTS_FILE)
        shutil.copytree(origin.folder / VOCABULARIES, folder / VOCABULARIES)
        model.set_string_custom_property("version", str(origin.version))
    version = str(origin.version) if origin else None
    content = json.dumps({"version": version, "cold": why})
    (folder / START_FILE).write_text(content + "\n", encoding="utf-8")
    logging.info("Warm start: %s", content)


def start_of(base: str | None) -> dict:
    """What `WarmStart` decided: `version` or None, and `cold`, the reason for None.

    Args:
        base: Its model's folder; None or one without its file for a training that no
            such component stands before.
    """
    file = Path(base, START_FILE) if base else None
    if file is None or not file.is_file():
        return {"version": None, "cold": "none was asked for"}
    return json.loads(file.read_text(encoding="utf-8"))


def begin(
    model: PSAD, base: str | None, transform_output: str, features: FeatureSet
) -> dict:
    """Gives a new model the weights that it is to begin from, if there are any.

    Args:
        model: The new model, built; changed in place.
        base: `WarmStart`'s folder.
        transform_output: The new model's transform.
        features: The data set's.

    Returns:
        `version`, None after a cold start; `cold`, the reason for one; `known` and
        `new`, how many values of the vocabularies had a row before and how many had
        not, by space of ids.
    """
    start = start_of(base)
    if start["version"] is None:
        return start
    try:
        counts = _carry(model, Path(base), Path(transform_output), features)
    except CannotCarryError as error:
        why = f"the weights of version {start['version']} do not fit: {error}"
        logging.warning("Cold start: %s", why)
        return {"version": None, "cold": why}
    return start | counts


def _carry(model: PSAD, base: Path, transform: Path, features: FeatureSet) -> dict:
    if model.config.item_table != "full" or model.config.user_table != "full":
        raise CannotCarryError("rows of composed tables belong to no value")
    new = read_vocabularies(vocabulary_files(transform))
    old = read_vocabularies(sorted((base / VOCABULARIES).iterdir()))
    spaces = {
        "item": row_sources(features.item, new, old),
        "user": row_sources(features.user, new, old),
    }
    before = keras.saving.load_model(base / WEIGHTS_FILE, compile=False)
    weights = by_path(model.trainable_weights, lambda w: w)
    shapes = {path: tuple(w.shape) for path, w in weights.items()}
    values = by_path(before.trainable_weights, keras.ops.convert_to_numpy)
    tables = {
        path: rows
        for space, rows in spaces.items()
        for path in shapes
        if path.endswith(f"{space}_embedding/table/embeddings")
    }
    if len(tables) != len(spaces):
        raise CannotCarryError(f"found the tables {sorted(tables)} alone")
    for path, value in carried(shapes, values, tables).items():
        weights[path].assign(value)
    return {
        "known": {space: rows.known for space, rows in spaces.items()},
        "new": {space: rows.new for space, rows in spaces.items()},
    }
