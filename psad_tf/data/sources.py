"""Where each data set comes from: one entry a data set, all behind one interface."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from psad_tf.data.click_world.source import ClickWorldSource
from psad_tf.data.logs.ad import AD_READER
from psad_tf.data.logs.avito import AVITO_READER
from psad_tf.data.logs.prm_public import PRM_PUBLIC_READER
from psad_tf.data.logs.source import LogSource
from psad_tf.data.rating_source import MOVIELENS
from psad_tf.data.settings import LogSettings
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import CLICK_WORLD, CLICK_WORLD_5, MOVIELENS_100K, feature_set
from psad_tf.plugins import READERS, plugin

if TYPE_CHECKING:
    import apache_beam as beam


class Source(Protocol):
    """How the lists of one data set come about.

    `LogSource` writes the lists when it prepares: it has no `lists` and `shards`.

    Attributes:
        kept: The files of `prepare` that belong to the built data set.
    """

    kept: tuple[str, ...]

    def raw_folder(self, size: str | None) -> Path:
        """The folder of the raw files, fetched or made first if need be.

        Args:
            size: Of a data set that comes in named sizes; None is its usual one.
        """

    def prepare(self, raw: Path, folder: Path, seed: int, max_bad_share: float) -> dict:
        """Writes what must be known before lists can be built into a folder.

        Args:
            raw: Folder of the raw files.
            folder: Where to write. `items.json` (id → title) and `counts.json` (of
                each raw file, lines read and set aside by reason) are always there.
            seed: Of all that is left to chance.
            max_bad_share: The accepted share of unusable lines in any one file.

        Returns:
            The plan: the times at which the periods end, by the names of `Cuts`, and
            what `lists` needs to recognise that `raw` is still the same.
        """

    def lists(self, raw: Path, prepared: Path) -> "beam.PTransform":
        """Applied to a pipeline, it gives what `BuildLists` promises."""

    def shards(self, prepared: Path) -> int:
        """Into how many files each split is written; 0 leaves it to the runner."""

    def summary(self, prepared: Path, counts: Mapping[str, int]) -> dict:
        """What a built data set's summary says besides the plan."""


_SOURCES: dict[str, Source] = {
    MOVIELENS_100K.name: MOVIELENS,
    CLICK_WORLD.name: ClickWorldSource(CLICK_WORLD),
    CLICK_WORLD_5.name: ClickWorldSource(CLICK_WORLD_5),
    **{
        reader.features.name: LogSource(reader)
        for reader in (AD_READER, PRM_PUBLIC_READER, AVITO_READER)
    },
}


def source(
    dataset: str,
    settings: LogSettings | None = None,
    pipeline: "beam.Pipeline | None" = None,
) -> Source:
    """Where the lists of a data set come from.

    Args:
        dataset: The name of a feature set.
        settings: Choices for raw logs.
        pipeline: What reads raw logs; None makes one of the settings' Beam options.

    Raises:
        ConfigError: No data set has that name, or something was chosen for it that it
            has no use for.
    """
    name = feature_set(dataset).name
    found = _SOURCES.get(name) or _brought_along(name)
    if isinstance(found, LogSource):
        return found.chosen(settings or LogSettings(), pipeline)
    if settings is not None:
        settings.check_unused(name)
    return found


def _brought_along(name: str) -> LogSource:
    """That of another package's data set, which must be one of raw logs."""
    reader = plugin(READERS, name)
    if reader is None:
        raise ConfigError(
            f"data set {name!r} has features and no reader; name its `Reader` as the "
            f"entry point {name!r} in the group {READERS}"
        )
    return LogSource(reader)


def writes_lists(dataset: str) -> bool:
    """Whether `prepare` writes the lists themselves, in a folder a split."""
    return isinstance(source(dataset), LogSource)
