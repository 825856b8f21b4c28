"""The data sets, one file each; see `psad_tf.features` for what a feature set is."""

from psad_tf.errors import ConfigError
from psad_tf.feature_sets.click_world import CLICK_WORLD, CLICK_WORLD_5
from psad_tf.feature_sets.movielens_100k import MOVIELENS_100K
from psad_tf.features import FeatureSet

_FEATURE_SETS = {s.name: s for s in (MOVIELENS_100K, CLICK_WORLD, CLICK_WORLD_5)}


def feature_set(name: str) -> FeatureSet:
    """The feature set of a data set, by name (`-` and `_` are the same).

    Raises:
        ConfigError: No data set has that name.
    """
    key = name.replace("-", "_")
    if key not in _FEATURE_SETS:
        known = ", ".join(sorted(_FEATURE_SETS))
        raise ConfigError(f"data set {name!r} is unknown; the known ones are: {known}")
    return _FEATURE_SETS[key]
