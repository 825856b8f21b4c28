"""The data gate as a component: it stands before all that learns from the data."""

import json
from dataclasses import fields
from pathlib import Path

from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ExampleStatistics, Schema
from tfx.utils import io_utils

from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet
from psad_tf.report_page.record import plain
from tfx_pipeline.artifacts import DataVerdict
from tfx_pipeline.data_gate.config import DataGateConfig
from tfx_pipeline.data_gate.drift import (
    distances,
    load_statistics,
    schema_anomalies,
    text_features,
)
from tfx_pipeline.data_gate.found import Found, ListFacts
from tfx_pipeline.data_gate.judge import as_content
from tfx_pipeline.data_gate.lists import list_facts, split_folder
from tfx_pipeline.origins import STATISTICS, VERDICT, Origin, last_origin

SPLITS = ("train", "validation", "test")


@component
def DataGate(
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    verdict: OutputArtifact[DataVerdict],
    dataset: Parameter[str],
    spans: Parameter[str],
    bounds: Parameter[str],
    model_store: Parameter[str],
    root: Parameter[str],
    code: Parameter[str],
):
    """Writes `data_gate.json`, or stops the run with a report.

    What it says is kept with the data: a repeated run on the same data has the same
    verdict, and trains nothing anew.

    Args:
        dataset: The data set's name.
        spans: That the data is of, such as `3,4`; empty where there are none.
        bounds: The `DataGateConfig` as JSON.
        model_store: Holds the last blessed model's origin.
        root: The pipeline's, for the report of a refusal.
        code: A fingerprint of the code, for the cache.

    Raises:
        DataRefusedError: A check failed.
    """
    features, config = feature_set(dataset), DataGateConfig(**json.loads(bounds))
    read = schema_pb2.Schema()
    io_utils.parse_pbtxt_file(str(Path(schema.uri, "schema.pbtxt")), read)
    origin = last_origin(model_store, spans)
    found = find(Path(examples.uri), Path(statistics.uri), read, features, origin)
    about = {"dataset": dataset, "spans": spans, "compared_with": None}
    if found.before is not None:
        about["compared_with"] = str(origin.version)
    content = plain(as_content(found, config, **about))
    if not content["passed"]:
        # It draws, which is seldom asked for.
        from tfx_pipeline.data_gate.refused import refuse

        raise refuse(content, Path(root))
    logging.info("The data gate passed; cold start asked for: %s", content["cold"])
    folder = Path(verdict.uri)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / VERDICT).write_text(text + "\n", encoding="utf-8")
    verdict.set_string_custom_property("spans", spans)
    verdict.set_int_custom_property("cold", int(content["cold"]))


def find(
    examples: Path,
    statistics: Path,
    schema: schema_pb2.Schema,
    features: FeatureSet,
    origin: Origin | None,
) -> Found:
    """What is known of a run's data.

    Args:
        examples: The lists, a folder a split.
        statistics: StatisticsGen's folder.
        schema: The schema.
        features: The data set's.
        origin: Of the last blessed model; None where there is none.
    """
    known = {split: load_statistics(statistics, split) for split in SPLITS}
    drift, before = {}, None
    if origin is not None:
        earlier = load_statistics(origin.folder / STATISTICS, "train")
        drift = distances(known["train"], earlier, schema, features)
        verdict = json.loads((origin.folder / VERDICT).read_text(encoding="utf-8"))
        names = [field.name for field in fields(ListFacts)]
        before = ListFacts(**{name: verdict["facts"][name] for name in names})
    return Found(
        list_facts(
            split_folder(examples, "train"), split_folder(examples, "test"), features
        ),
        before,
        schema_anomalies(known, schema),
        drift,
        distances(known["train"], known["test"], schema, features),
        text_features(features),
    )
