"""The raw contracts, one TensorFlow Metadata schema (text) a data set."""

from pathlib import Path


def schema_path(name: str) -> Path:
    """The schema file of a data set, by the name of its `FeatureSet`."""
    return Path(__file__).parent / f"{name}.pbtxt"
