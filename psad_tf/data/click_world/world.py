"""The world: its items, what profiles say of users, how relevance comes about."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from psad_tf.data.click_world.chance import stream, unit
from psad_tf.data.click_world.config import WorldConfig
from psad_tf.data.click_world.items import CATEGORIES, Items, make_items
from psad_tf.data.errors import DataError

AGES = ((18, 25), (25, 35), (35, 50), (50, 76))  # groups, ends excluded
GENDERS = ("F", "M")
SEGMENTS = 8
CITY_TIERS = 3
# How much of the current interest is this visit's alone, by age group: the younger, the
# more the latest clicks say, which is what a reranker can learn to personalise.
VISIT_WEIGHT = np.array([0.5, 0.4, 0.25, 0.1])
# How far long-term interest moves from visit to visit, by city tier.
DRIFT = np.array([0.2, 0.12, 0.06])

WORLD, ITEM_TABLE = "world.json", "items.npz"


@dataclass(frozen=True)
class World:
    """Everything that all users share.

    Args:
        config: What the world was made from.
        items: The items.
        segment_taste: `[segments, dim]` what users of a segment like, of length 1.
        age_taste: `[ages, dim]` the same by age group.
        gender_taste: `[genders, dim]` the same by gender.
        segment_price: `[segments]` the price level a segment likes.
    """

    config: WorldConfig
    items: Items
    segment_taste: np.ndarray
    age_taste: np.ndarray
    gender_taste: np.ndarray
    segment_price: np.ndarray

    @classmethod
    def make(cls, config: WorldConfig) -> "World":
        """Draws the world of a configuration."""
        return cls._with(config, make_items(config))

    @classmethod
    def load(cls, folder: Path) -> "World":
        """Reads the world that `save` wrote into a folder.

        Raises:
            DataError: Its files are missing or damaged.
        """
        path = Path(folder, WORLD)
        try:
            config = WorldConfig(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                f"{path} holds no click world ({error}); build the data set again"
            ) from error
        return cls._with(config, Items.load(Path(folder, ITEM_TABLE)))

    def save(self, folder: Path) -> None:
        """Writes `world.json` and `items.npz` into a folder."""
        text = json.dumps(asdict(self.config), indent=2)
        Path(folder, WORLD).write_text(text + "\n", encoding="utf-8")
        self.items.save(Path(folder, ITEM_TABLE))

    @classmethod
    def _with(cls, config: WorldConfig, items: Items) -> "World":
        random = stream(config.seed, "tastes")
        return cls(
            config=config,
            items=items,
            segment_taste=_tastes(items.centers, SEGMENTS, random),
            age_taste=_tastes(items.centers, len(AGES), random),
            gender_taste=_tastes(items.centers, len(GENDERS), random),
            segment_price=np.linspace(-1.2, 1.2, SEGMENTS)[
                random.permutation(SEGMENTS)
            ],
        )

    def click_vectors(self, items: np.ndarray) -> np.ndarray:
        """`[..., dim]` vectors of items `[...]` as the click model compares them."""
        return self.config.vector_length * self.items.vector[items]

    def relevance(
        self, items: np.ndarray, interest: np.ndarray, price: float
    ) -> np.ndarray:
        """The probability that an examined item is clicked.

        Args:
            items: `[..., list]` indices.
            interest: `[..., dim]` what the user wants at the moment, of length 1.
            price: The price level the user likes.

        Returns:
            `[..., list]` probabilities.
        """
        config = self.config
        appeal = (self.items.vector[items] @ interest[..., None])[..., 0]
        misfit = (self.items.price_level[items] - price) ** 2
        logit = config.base + config.interest_weight * appeal
        logit -= config.price_weight * misfit
        logit += config.quality_weight * self.items.quality[items]
        return 1 / (1 + np.exp(-logit))


def _tastes(centers: np.ndarray, count: int, random) -> np.ndarray:
    """`[count, dim]` each the mean of a few categories, of length 1."""
    liked = [random.choice(CATEGORIES, size=3, replace=False) for _ in range(count)]
    return unit(centers[np.array(liked)].sum(axis=1))
