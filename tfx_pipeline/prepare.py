"""Reads the raw log, plans the cuts in time and trains the first stage."""

from pathlib import Path

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from psad_tf.data.beam_lists import prepare
from tfx_pipeline.artifacts import PreparedLog


@component
def PrepareLog(
    log: OutputArtifact[PreparedLog],
    raw: Parameter[str],
    fingerprint: Parameter[str],
    dataset: Parameter[str],
    seed: Parameter[int],
    max_bad_share: Parameter[float],
):
    """Writes the cuts, the first stage's towers, counts and malformed lines.

    The fingerprint of the raw files is an argument so that the cache sees new data.
    """
    log.set_string_custom_property("raw_fingerprint", fingerprint)
    prepare(Path(raw), Path(log.uri), dataset, seed, max_bad_share)
