"""Data sets of raw logs behind the interface that all data sets have.

Beam and Arrow's files are loaded when a log is read, not before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from psad_tf.data.logs.accounts import lists_by_fate, rows_by_fate
from psad_tf.data.logs.protocol import Protocol
from psad_tf.data.logs.reader import Reader
from psad_tf.data.logs.salt import Salt
from psad_tf.data.prepared import COUNTS, read_json
from psad_tf.data.settings import LogSettings
from psad_tf.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam

QUARANTINE, PROFILE = "quarantine.tsv", "profile.json"
FROM_ENVIRONMENT = "env"


@dataclass(frozen=True)
class LogSource:
    """Raw logs; see `Source`. `prepare` writes the lists too: a folder a split of
    `lists-*.tfrecord.gz`, with `fates.json` (what became of lists and rows),
    `quarantine.tsv` and `profile.json` (processor seconds of each kind of
    task).

    Args:
        reader: The data set's.
        settings: The user's choices.
        pipeline: Runs the work; None makes one.
    """

    reader: Reader
    settings: LogSettings = LogSettings()
    pipeline: "beam.Pipeline | None" = None
    kept = QUARANTINE, PROFILE

    def chosen(
        self, settings: LogSettings, pipeline: "beam.Pipeline | None" = None
    ) -> "LogSource":
        """The same data set under these choices."""
        return replace(self, settings=settings, pipeline=pipeline)

    def raw_folder(self, size: str | None) -> Path:
        raise ConfigError(
            f"raw: the logs of {self.reader.features.name} can't be fetched, since who "
            "publishes them wants to be asked; get them and name their folder"
        )

    def protocol(self) -> tuple[str, Protocol]:
        """The name and the rules that were chosen, or the usual ones.

        Raises:
            ConfigError: The data set has no rules of that name.
        """
        known = self.reader.protocols
        name = self.settings.protocol or next(iter(known))
        if name not in known:
            raise ConfigError(
                f"protocol={name!r}: {self.reader.features.name} has {', '.join(known)}"
            )
        return name, known[name]

    def salt(self) -> Salt | None:
        """The secret that was named, checked.

        Raises:
            DataError: It can't be read.
        """
        place = self.settings.user_salt
        if not place:
            return None
        salt = Salt("" if place == FROM_ENVIRONMENT else place)
        salt.read()
        return salt

    def prepare(
        self, raw: Path | str, folder: Path, seed: int, max_bad_share: float
    ) -> dict:
        from psad_tf.data.logs.run import run

        return run(self, str(raw), folder, seed, max_bad_share)

    def summary(self, prepared: Path, counts: Mapping[str, int]) -> dict:
        """`files`, `lists` and `rows`: every row read has one fate."""
        return {
            "files": read_json(prepared / COUNTS),
            "lists": lists_by_fate(counts),
            "rows": rows_by_fate(counts),
        }
