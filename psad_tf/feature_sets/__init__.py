"""The data sets, one file each; see `psad_tf.features` for what a feature set is."""

from psad_tf.errors import ConfigError
from psad_tf.feature_sets.ad import AD
from psad_tf.feature_sets.avito import AVITO
from psad_tf.feature_sets.click_world import CLICK_WORLD, CLICK_WORLD_5
from psad_tf.feature_sets.movielens_100k import MOVIELENS_100K
from psad_tf.feature_sets.prm_public import PRM_PUBLIC
from psad_tf.features import FeatureSet
from psad_tf.plugins import FEATURE_SETS, names, plugin

_REAL = MOVIELENS_100K, AD, PRM_PUBLIC, AVITO
_FEATURE_SETS = {s.name: s for s in (*_REAL, CLICK_WORLD, CLICK_WORLD_5)}


def feature_set(name: str) -> FeatureSet:
    """The feature set of a data set, by name (`-` and `_` are the same).

    Other packages bring theirs along: an entry point in the group
    `psad_tf.feature_sets`.

    Raises:
        ConfigError: No data set has that name, or what a package offers is unusable.
    """
    key = name.replace("-", "_")
    found = _FEATURE_SETS.get(key) or plugin(FEATURE_SETS, key)
    if found is None:
        known = ", ".join(sorted([*_FEATURE_SETS, *names(FEATURE_SETS)]))
        raise ConfigError(f"data set {name!r} is unknown; the known ones are: {known}")
    if found.name != key:
        raise ConfigError(
            f"data set {name!r}: its entry point gives {found.name!r}; give both the "
            "same name"
        )
    return found
