"""Where each data set comes from: one entry a data set, all behind one interface."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from psad_tf.data.click_world.source import ClickWorldSource
from psad_tf.data.rating_source import MOVIELENS
from psad_tf.feature_sets import CLICK_WORLD, CLICK_WORLD_5, MOVIELENS_100K, feature_set

if TYPE_CHECKING:
    import apache_beam as beam


class Source(Protocol):
    """How the lists of one data set come about.

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
}


def source(dataset: str) -> Source:
    """Where the lists of a data set come from.

    Raises:
        ConfigError: No data set has that name.
    """
    return _SOURCES[feature_set(dataset).name]
