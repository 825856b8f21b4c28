"""A raw log in memory: ratings, users and items, in one canonical order."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LIKE = 4  # a rating of at least this many stars is a click

RATING = np.dtype(
    [
        ("user", np.int32),  # index into Log.users
        ("item", np.int32),  # index into Log.items
        ("rating", np.int8),
        ("timestamp", np.int64),  # seconds since the epoch
        ("tie", np.uint64),  # decides every order that time leaves open
    ]
)


@dataclass(frozen=True)
class User:
    """A user's profile.

    Args:
        id: Unique name.
        age: In years.
        gender: M or F.
        occupation: One of the data set's occupations.
        zip_prefix: First character of the postal code, `?` where there is none.
    """

    id: str
    age: float
    gender: str
    occupation: str
    zip_prefix: str


@dataclass(frozen=True)
class Item:
    """An item; the title is for display only.

    Args:
        id: Unique name.
        title: Without the year.
        genres: In the data set's canonical order.
        year: Of release; 0 where the title names none.
    """

    id: str
    title: str
    genres: tuple[str, ...]
    year: int


@dataclass(frozen=True)
class Log:
    """Ratings with the users and items they name.

    Args:
        ratings: Array of `RATING`, sorted by time and `tie`: the order of lines in a
            file leaves no trace.
        users: Sorted by id.
        items: Sorted by id.
        rows_read: For each file, the data lines it has (accepted or not).
    """

    ratings: np.ndarray
    users: tuple[User, ...]
    items: tuple[Item, ...]
    rows_read: Mapping[str, int]

    def fingerprint(self) -> str:
        """A hash of everything that lists are made of."""
        digest = hashlib.sha256(self.ratings.tobytes())
        digest.update(repr((self.users, self.items)).encode())
        return digest.hexdigest()


def tie_break(user_id: str, item_id: str) -> int:
    """A stable pseudo-random number of 64 bits that knows nothing of the rating."""
    key = f"{user_id}\t{item_id}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")


def in_time_order(ratings: np.ndarray) -> np.ndarray:
    """The ratings, oldest first; equal times by `tie`."""
    return ratings[np.lexsort((ratings["tie"], ratings["timestamp"]))]
