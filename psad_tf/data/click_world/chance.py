"""Where chance comes from, so that no draw depends on another part's draws."""

import zlib

import numpy as np


def stream(seed: int, name: str, number: int = 0) -> np.random.Generator:
    """The random numbers of one part of a world, such as one user's.

    Args:
        seed: Of the world.
        name: Of the part.
        number: Which of several parts of that name.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode()), number])


def unit(vectors: np.ndarray) -> np.ndarray:
    """`[..., dim]` the vectors, scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
