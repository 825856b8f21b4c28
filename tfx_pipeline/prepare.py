"""Reads the raw log, plans the cuts in time and trains the first stage."""

import json
from pathlib import Path

import apache_beam as beam
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component

from psad_tf.data.beam_lists import prepare
from psad_tf.data.settings import log_settings
from tfx_pipeline.artifacts import PreparedLog


@component(use_beam=True)
def PrepareLog(
    log: OutputArtifact[PreparedLog],
    raw: Parameter[str],
    fingerprint: Parameter[str],
    dataset: Parameter[str],
    seed: Parameter[int],
    max_bad_share: Parameter[float],
    settings: Parameter[str],
    spans: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
):
    """Writes the cuts, the first stage, counts and malformed lines; of logs that are
    read with Beam, the lists too.

    The fingerprint of the raw files is an argument so that the cache sees new data;
    the settings are those of `PipelineConfig.logs`, as JSON; the spans, which the raw
    files are of, are noted on the log, where lineage finds them.
    """
    log.set_string_custom_property("raw_fingerprint", fingerprint)
    if spans:
        log.set_string_custom_property("spans", spans)
    prepare(
        Path(raw),
        Path(log.uri),
        dataset,
        seed,
        max_bad_share,
        log_settings(json.loads(settings)),
        beam_pipeline,
    )
