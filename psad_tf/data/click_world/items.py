"""The items of a click world: what everybody sees, and what only clicks show."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from psad_tf.data.click_world.chance import stream, unit
from psad_tf.data.click_world.config import BEGIN, WorldConfig
from psad_tf.data.errors import DataError

CATEGORIES, BRANDS = 30, 150


@dataclass(frozen=True)
class Items:
    """All items; index i is the item `i<i>`.

    Args:
        category: `[items]` whole numbers below `CATEGORIES`, most in the first ones.
        brand: `[items]` whole numbers below `BRANDS`; one sells in few categories.
        log_price: `[items]`.
        price_level: `[items]` how dear within the category, in deviations.
        quality: `[items]` hidden; what everybody likes.
        popularity: `[items]` hidden; share of the demand, Zipf, more for quality.
        vector: `[items, dim]` hidden; what the item is like, of length 1. Category
            and brand tell most of it.
        score_error: `[items]` hidden; what the first stage gets wrong in all lists.
        release: `[items]` seconds since the epoch; not shown before.
        centers: `[categories, dim]` hidden; the categories' vectors, of length 1.
    """

    category: np.ndarray
    brand: np.ndarray
    log_price: np.ndarray
    price_level: np.ndarray
    quality: np.ndarray
    popularity: np.ndarray
    vector: np.ndarray
    score_error: np.ndarray
    release: np.ndarray
    centers: np.ndarray

    def __len__(self) -> int:
        return len(self.category)

    @cached_property
    def demand(self) -> np.ndarray:
        """`[items]` the running sum of popularity."""
        return np.cumsum(self.popularity)

    def ids(self) -> list[str]:
        """The names, by index."""
        return [f"i{index}" for index in range(len(self))]

    def save(self, path: Path) -> None:
        """Writes `items.npz`; `load` reads it."""
        columns = {name: getattr(self, name) for name in self.__dataclass_fields__}
        np.savez_compressed(path, **columns)

    @classmethod
    def load(cls, path: Path) -> "Items":
        """Reads what `save` wrote.

        Raises:
            DataError: It is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(**{name: file[name] for name in cls.__dataclass_fields__})
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise DataError(
                f"{path} holds no items of a click world ({error}); build the data "
                "set again"
            ) from error


def make_items(config: WorldConfig) -> Items:
    """Draws the items of a world."""
    random = stream(config.seed, "items")
    count, dim = config.items, config.dim
    home = random.integers(CATEGORIES, size=BRANDS)
    brand = random.choice(BRANDS, size=count, p=_zipf(BRANDS, 0.7))
    # Two in three items of a brand are of its home category.
    elsewhere = random.choice(CATEGORIES, size=count, p=_zipf(CATEGORIES, 0.7))
    category = np.where(random.random(count) < 2 / 3, home[brand], elsewhere)
    quality = random.normal(size=count)
    price_level = 0.3 * quality + np.sqrt(1 - 0.3**2) * random.normal(size=count)
    usual = random.normal(3.0, 0.8, CATEGORIES)
    centers = unit(random.normal(size=(CATEGORIES, dim)))
    of_brand = 0.5 * unit(random.normal(size=(BRANDS, dim)))
    of_item = 0.5 * unit(random.normal(size=(count, dim)))
    return Items(
        category=category,
        brand=brand,
        log_price=usual[category] + 0.6 * price_level,
        price_level=price_level,
        quality=quality,
        popularity=_popularity(quality, random),
        vector=unit(centers[category] + of_brand[brand] + of_item),
        score_error=random.normal(0.0, config.score_item_error, count),
        release=_releases(config, random),
        centers=centers,
    )


def _popularity(quality: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Zipf's law by a rank in which quality and luck weigh the same."""
    luck = quality + random.normal(size=len(quality))
    shares = np.empty(len(quality))
    shares[np.argsort(-luck)] = _zipf(len(quality), 0.8)
    return shares


def _releases(config: WorldConfig, random: np.random.Generator) -> np.ndarray:
    """Exactly the share of new items, so that the rest always fills a list."""
    moments = np.full(config.items, BEGIN)
    new = random.permutation(config.items)[: int(config.new_items * config.items)]
    moments[new] = random.integers(BEGIN, config.end, len(new))
    return moments


def _zipf(count: int, exponent: float) -> np.ndarray:
    weights = np.arange(1, count + 1, dtype=float) ** -exponent
    return weights / weights.sum()
