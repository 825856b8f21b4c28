"""The click world as a data set: its raw data is the description of a world."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from psad_tf.data.click_world.config import WorldConfig, world_config
from psad_tf.data.click_world.lists import fixed_features
from psad_tf.data.click_world.summary import summarise
from psad_tf.data.click_world.world import ITEM_TABLE, WORLD, World
from psad_tf.data.errors import DataError
from psad_tf.data.prepared import COUNTS, ITEMS, read_plan, write_json
from psad_tf.data.windows import Cuts
from psad_tf.errors import ConfigError
from psad_tf.features import FeatureSet

USUAL_SIZE = "study"
_LISTS_A_FILE = 150_000  # a world of more is written in files as the runner likes
# Said elsewhere, so a raw description must not say them again.
_GIVEN = ("seed", "list_length", "history_length")


@dataclass(frozen=True)
class ClickWorldSource:
    """A simulated world; see `Source`. `prepare` writes the world itself too:
    `world.json` and `items.npz`, which `World.load` reads.

    Args:
        features: The data set's; they say how long lists and histories are.
    """

    features: FeatureSet
    kept = ITEMS, WORLD, ITEM_TABLE

    def raw_folder(self, size: str | None) -> Path:
        """A folder in the user's cache with the `world.json` of a named size."""
        size = USUAL_SIZE if size is None else size
        content = asdict(world_config(size))
        for name in _GIVEN:
            del content[name]
        cache = Path(platformdirs.user_cache_dir("psad-tf"), "click_world", size)
        cache.mkdir(parents=True, exist_ok=True)
        new = cache / f".{WORLD}.{os.getpid()}"
        write_json(new, content)
        os.replace(new, cache / WORLD)
        return cache

    def prepare(self, raw: Path, folder: Path, seed: int, max_bad_share: float) -> dict:
        config = self.config(raw, seed)
        world = World.make(config)
        world.save(folder)
        write_json(folder / ITEMS, _titles(world))
        write_json(folder / COUNTS, {})  # no file is read line by line
        cuts = Cuts(*config.cuts)
        return {"simulated": True, **cuts._asdict(), "fingerprint": _digest(raw)}

    def config(self, raw: Path, seed: int) -> WorldConfig:
        """The world that a raw folder describes.

        Args:
            raw: A folder with `world.json`: fields of `WorldConfig`; those left out
                have their defaults.
            seed: Of the world.

        Raises:
            DataError: The file is missing, or is no JSON object.
            ConfigError: A field is unknown or out of range.
        """
        path = Path(raw, WORLD)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path} holds no world ({error}); write a JSON object of "
                "WorldConfig's fields there, or name a size instead of a folder"
            ) from error
        known = set(WorldConfig.__dataclass_fields__) - set(_GIVEN)
        unknown = sorted(set(content) - known)
        if unknown:
            raise ConfigError(
                f"{path}: fields {unknown} are unknown here; the known ones are: "
                f"{', '.join(sorted(known))}"
            )
        lengths = self.features.list_length, self.features.history_length
        return WorldConfig(
            seed=seed, list_length=lengths[0], history_length=lengths[1], **content
        )

    def load(self, raw: Path, prepared: Path) -> World:
        """The prepared world.

        Raises:
            DataError: `prepared` is of another data set or world, or incomplete.
        """
        expected = {"dataset": self.features.name, "fingerprint": _digest(raw)}
        read_plan(prepared, expected)
        return World.load(prepared)

    def lists(self, raw: Path, prepared: Path):
        from psad_tf.data.click_world.beam_lists import BuildWorldLists

        return BuildWorldLists(self, raw, prepared)

    def shards(self, prepared: Path) -> int:
        config = World.load(prepared).config
        return 1 if config.users * config.lists_per_user < 2 * _LISTS_A_FILE else 0

    def summary(self, prepared: Path, counts: Mapping[str, int]) -> dict:
        return summarise(counts, World.load(prepared))


def _titles(world: World) -> dict[str, str]:
    """What to call each item in a report."""
    return {
        str(item["item_id"]): f"{item['category']} {item['brand']} {item['item_id']}"
        for item in fixed_features(world)
    }


def _digest(raw: Path) -> str:
    return hashlib.sha256(Path(raw, WORLD).read_bytes()).hexdigest()
