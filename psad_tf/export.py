"""Writes the served artifact: the transform and the scorer, nothing of the teacher.

Two signatures, one computation: `serving_default` takes serialized tf.Examples,
`rank` takes plain tensors. Both return `scores` [batch, M] (float32) and `order`
[batch, M] (int32, indices of the candidates, best first, -1 past the list's end).
Where the two are compiled by XLA, `rank_plain` is `rank` without. Further signatures,
where asked for, are those of `psad_tf.export_extra`.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import keras
import tensorflow as tf

from psad_tf import __version__
from psad_tf.export_core import ServedScorer
from psad_tf.export_endpoints import Endpoints
from psad_tf.export_extra import WarmupArrays
from psad_tf.export_onnx import ONNX_FILE, onnx_scorer
from psad_tf.export_placement import keep_on_host
from psad_tf.export_report import compare, write_report
from psad_tf.export_tensors import RANK_MATRIX
from psad_tf.features import FeatureSet
from psad_tf.serving_config import ServingConfig
from psad_tf.warmup import write_warmup


def export_scorer(
    scorer: keras.Model,
    transform,
    raw_spec: dict,
    features: FeatureSet,
    path: Path,
    metadata: dict | None = None,
    serving: ServingConfig | None = None,
    validation: Iterable | None = None,
) -> None:
    """Writes a SavedModel that ranks lists, and `assets.extra/export_report.json`.

    Args:
        scorer: The student; called on the dict of input tensors it returns scores
            [batch, M].
        transform: The fitted transform as a layer: raw features to input tensors.
        raw_spec: How a serving example is parsed: raw name to feature specification.
        features: The data set's features.
        path: The folder to write, not there yet.
        metadata: Kept in `assets.extra/psad.json`, for people and for reports.
        serving: How the graph runs a request; None for the defaults.
        validation: Batches of `(input tensors, labels)`, on which the exported scorer
            is compared with the one given. Reduced precision and ONNX need them.

    Raises:
        ConfigError: The configuration does not fit the model, reduced precision costs
            more NDCG@10 than it allows, or there is no ONNX model that scores alike;
            nothing is written then.
    """
    serving = serving or ServingConfig()
    served = ServedScorer(scorer, features, serving)
    lists = None if validation is None else list(validation)
    compared = compare(served, lists)
    onnx = onnx_scorer(served, lists) if serving.onnx else None
    archive = keras.export.ExportArchive()
    # The scorer's weights are found through the endpoints; tracking the scorer as well
    # would store each of them twice.
    for table in _vocabularies(transform):
        archive.track(table)
    endpoints = Endpoints(raw_spec, features, transform, served)
    for name in serving.signatures():
        specs, endpoint = endpoints.of(name)
        archive.add_endpoint(name, endpoint, input_signature=specs)
    archive.write_out(str(path), verbose=False)
    keep_on_host(path, serving.compiled_signatures())
    write_warmup(path, features, serving, WarmupArrays(served))
    described = {"version": __version__, "dataset": features.name, **(metadata or {})}
    if RANK_MATRIX in serving.signatures():
        described[RANK_MATRIX] = served.layout(served.widths[-1]).to_dict()
    (path / "assets.extra" / "psad.json").write_text(json.dumps(described, indent=1))
    if onnx:
        (path / ONNX_FILE).write_bytes(onnx.content)
    write_report(path, served, compared, onnx and onnx.report)


def _vocabularies(transform) -> list:
    """The transform's tables. Tracked as a layer it would be traced anew for them."""
    kind = tf.saved_model.experimental.TrackableResource
    found = tf.train.TrackableView(transform).descendants()
    return [one for one in found if isinstance(one, kind)]
