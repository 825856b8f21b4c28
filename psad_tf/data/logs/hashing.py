"""Numbers that look random and are the same in every process: never Python's hash()."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def stable_hash(texts: pa.Array | Sequence[str]) -> np.ndarray:
    """`[n]` uint64 hashes of texts; equal texts have equal ones, on every machine."""
    if isinstance(texts, pa.Array):
        texts = texts.to_numpy(zero_copy_only=False)
    return pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False)


def tie(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """`[n]` uint64: decides every order that time leaves open.

    Args:
        user: `[n]` `stable_hash`es of users.
        item: `[n]` `stable_hash`es of items.
    """
    return _mix(_mix(user) ^ item)


def share(seed: int, user: np.ndarray) -> np.ndarray:
    """`[n]` float64 in [0, 1): where each user falls when users are split by chance.

    Args:
        seed: Another seed gives another split.
        user: `[n]` `stable_hash`es.
    """
    salt = _mix(np.array([seed], np.uint64) + _GOLDEN)
    return (_mix(user ^ salt) >> np.uint64(11)) * 2.0**-53


def pseudonyms(users: Sequence[str], salt: bytes) -> list[str]:
    """The users' ids under a secret salt: 32 hexadecimal digits each."""
    return [
        hashlib.blake2b(user.encode(), digest_size=16, key=salt).hexdigest()
        for user in users
    ]


def _mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: every bit of a value bears on every bit of the result."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
