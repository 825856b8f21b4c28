"""Data sets made of a log of ratings, with a first stage trained on its oldest part."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from psad_tf.data.fetch import movielens_folder
from psad_tf.data.first_stage import FirstStage
from psad_tf.data.first_stage_process import train_first_stage
from psad_tf.data.lists import Context
from psad_tf.data.log import Log
from psad_tf.data.movielens import read_movielens
from psad_tf.data.prepared import COUNTS, ITEMS, read_json, read_plan, write_json
from psad_tf.data.quarantine import Quarantine
from psad_tf.data.windows import Chunk, Cuts, chunks, plan_cuts
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import FeatureSet

TOWERS, QUARANTINE = "towers.npz", "quarantine.tsv"
SHARES = (0.3, 0.5, 0.1)  # of lists: first stage, train, validation; the rest is test


@dataclass(frozen=True)
class RatingSource:
    """A log of ratings; see `Source`. `prepare` writes `towers.npz` (see `FirstStage`)
    and `quarantine.tsv` too.

    Args:
        features: The data set's.
        fetch: Fetches the raw files and gives their folder.
        read: Reads them.
    """

    features: FeatureSet
    fetch: Callable[[], Path]
    read: Callable[[Path, Quarantine], Log]
    kept = QUARANTINE, ITEMS, TOWERS

    def raw_folder(self, size: str | None) -> Path:
        if size is not None:
            raise ConfigError(
                f"size={size!r}: {self.features.name} is real data of one size; leave "
                "the size out"
            )
        return self.fetch()

    def prepare(self, raw: Path, folder: Path, seed: int, max_bad_share: float) -> dict:
        quarantine = Quarantine(max_bad_share)
        log = self.read(raw, quarantine)
        cuts = plan_cuts(list(self._chunks(log)), SHARES)
        train_first_stage(log, cuts.first_stage_end, folder / TOWERS, seed)
        quarantine.write(folder / QUARANTINE)
        write_json(folder / ITEMS, {item.id: item.title for item in log.items})
        write_json(folder / COUNTS, _file_counts(log, quarantine))
        return {**cuts._asdict(), "fingerprint": log.fingerprint()}

    def _chunks(self, log: Log) -> Iterator[Chunk]:
        """The chunks of all users, one user after another."""
        sizes = self.features.list_length, self.features.history_length
        for user in range(len(log.users)):
            yield from chunks(log.ratings[log.ratings["user"] == user], *sizes)

    def load(self, raw: Path, prepared: Path) -> tuple[Log, Cuts, Context]:
        """Reads the log again with what `prepare` found out about it.

        Raises:
            DataError: `prepared` is of another data set or log, or incomplete.
        """
        # Bad lines were counted, judged and written down by `prepare`.
        log = self.read(raw, Quarantine(max_bad_share=1.0))
        expected = {"dataset": self.features.name, "fingerprint": log.fingerprint()}
        plan = read_plan(prepared, expected)
        cuts = Cuts(*(plan[name] for name in Cuts._fields))
        return log, cuts, Context.of(log, FirstStage.load(Path(prepared, TOWERS)))

    def lists(self, raw: Path, prepared: Path):
        from psad_tf.data.rating_lists import BuildRatingLists

        return BuildRatingLists(self, raw, prepared)

    def shards(self, prepared: Path) -> int:
        return 1

    def summary(self, prepared: Path, counts: Mapping[str, int]) -> dict:
        """`files`, `lists` and `ratings`: every accepted rating has one fate."""
        found = {"files": read_json(prepared / COUNTS)}
        for kind in ("lists", "ratings"):
            found[kind] = {
                name.removeprefix(f"{kind}/"): number
                for name, number in sorted(counts.items())
                if name.startswith(f"{kind}/")
            }
        return found


def _file_counts(log: Log, quarantine: Quarantine) -> dict[str, dict]:
    return {
        file: {"read": rows, "set_aside": dict(sorted(quarantine.counts(file).items()))}
        for file, rows in log.rows_read.items()
    }


MOVIELENS = RatingSource(MOVIELENS_100K, movielens_folder, read_movielens)
