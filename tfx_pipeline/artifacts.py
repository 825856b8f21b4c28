"""Artifact types of our own."""

from tfx.types import Artifact


class PreparedLog(Artifact):
    """A read log: the cuts in time, the trained first stage, counts, quarantine."""

    TYPE_NAME = "PreparedLog"


class PipelineReport(Artifact):
    """A page for people, and the same figures as JSON."""

    TYPE_NAME = "PipelineReport"


class DataVerdict(Artifact):
    """What the data gate found in a run's data."""

    TYPE_NAME = "DataVerdict"
