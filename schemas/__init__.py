"""The raw contracts, one TensorFlow Metadata schema (text) a data set."""

from pathlib import Path

from psad_tf.plugins import FEATURE_SETS, folder_of


def schema_path(name: str) -> Path:
    """The schema file of a data set, by the name of its `FeatureSet`.

    That of another package's data set lies beside the module with its features.
    """
    here = Path(__file__).parent
    if not (here / f"{name}.pbtxt").exists():
        here = folder_of(FEATURE_SETS, name) or here
    return here / f"{name}.pbtxt"
