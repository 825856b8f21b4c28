"""The parser of PRM Public's lines: six JSON values between bars, a page a line."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.logs.reader import ITEM, LABEL, POSITION, REQUEST, USER
from psad_tf.data.logs.tables import Bad, Parsed
from psad_tf.feature_sets.prm_public import BASIC, OPTIONAL
from psad_tf.features import INITIAL_SCORE

NONE = "null"  # what a field that is not there becomes
_TEXT_KEPT = 200  # characters of an unusable line that are written down
_USER_FEATURES = "user_feature_1", "user_feature_2", "user_feature_3"
_ITEM_FEATURES = "category", "item_feature_3", "item_feature_4", "item_feature_5"
_FIELDS = 6


class _BadPage(Exception):
    """Raised for a line that cannot be used; the argument is the reason."""


class _Page(NamedTuple):
    """One line."""

    user: str
    request: str
    profile: np.ndarray  # [3] nan where null
    codes: np.ndarray  # [items, 5] nan where null
    numbers: np.ndarray  # [items, 19]
    labels: np.ndarray  # [items]


@dataclass(frozen=True)
class PageLines:
    """A `Parser`: one row an item of a page, in the page's order.

    Pages have no names in the files: a page's `request` is a hash of its line.

    Args:
        longest: The most items of a page.
    """

    longest: int
    has_header = False

    @property
    def schema(self) -> pa.Schema:
        texts = (USER, REQUEST, ITEM, *_USER_FEATURES, *_ITEM_FEATURES)
        numbers = (INITIAL_SCORE, *BASIC, *OPTIONAL)
        return pa.schema(
            [
                *((name, pa.string()) for name in texts),
                (POSITION, pa.int64()),
                (LABEL, pa.int8()),
                *((name, pa.float64()) for name in numbers),
            ]
        )

    def parse(self, block: bytes, header: bytes | None) -> Parsed:
        """See `Parser`."""
        pages, bad = [], []
        lines = block.splitlines()
        for number, line in enumerate(lines):
            try:
                pages.append(_page(line, self.longest))
            except _BadPage as fault:
                text = line[:_TEXT_KEPT].decode("utf-8", "backslashreplace")
                bad.append(Bad(number, str(fault), text))
        rows = self._rows(pages) if pages else self.schema.empty_table()
        return Parsed(rows, len(lines), bad)

    def _rows(self, pages: Sequence[_Page]) -> pa.Table:
        sizes = np.array([len(page.labels) for page in pages])
        whose = np.repeat(np.arange(len(pages)), sizes)
        position = np.arange(len(whose)) - (np.cumsum(sizes) - sizes)[whose] + 1
        codes = np.concatenate([page.codes for page in pages])
        numbers = np.concatenate([page.numbers for page in pages])
        profiles = np.stack([page.profile for page in pages])
        texts = [
            pa.array([page.user for page in pages]).take(pa.array(whose)),
            pa.array([page.request for page in pages]).take(pa.array(whose)),
            _texts(codes[:, 0]),
            *(_texts(column[whose]) for column in profiles.T),
            *(_texts(column) for column in codes.T[1:]),
        ]
        labels = np.concatenate([page.labels for page in pages]).astype(np.int8)
        columns = [*texts, position, labels, 1.0 / position, *numbers.T]
        return pa.table(columns, schema=self.schema)


def _page(line: bytes, longest: int) -> _Page:
    """Reads one line.

    Raises:
        _BadPage: It cannot be used.
    """
    if line.count(b"|") != _FIELDS - 1:
        raise _BadPage("wrong_columns")
    try:
        values = json.loads(b"[" + line.replace(b"|", b",") + b"]")
    except (ValueError, RecursionError):
        raise _BadPage("bad_json") from None
    if len(values) != _FIELDS:
        raise _BadPage("bad_json")
    user, profile, codes, basic, optional, labels = values
    if type(user) is not int:
        raise _BadPage("bad_user")
    size = len(labels) if isinstance(labels, list) else 0
    if not 1 <= size <= longest:
        raise _BadPage("bad_label")
    numbers = [
        _matrix(basic, (size, len(BASIC)), "bad_basic"),
        _matrix(optional, (size, len(OPTIONAL)), "bad_optional"),
    ]
    codes = _codes(codes, (size, 1 + len(_ITEM_FEATURES)), "bad_item")
    if np.isnan(codes[:, 0]).any():
        raise _BadPage("bad_item")
    labels = _matrix(labels, (size,), "bad_label")
    if not np.isin(labels, (0, 1)).all():
        raise _BadPage("bad_label")
    return _Page(
        str(user),
        hashlib.blake2b(line, digest_size=12).hexdigest(),
        _codes(profile, (len(_USER_FEATURES),), "bad_user_features"),
        codes,
        np.concatenate(numbers, axis=1),
        labels,
    )


def _matrix(values, shape: tuple[int, ...], reason: str) -> np.ndarray:
    """Nested lists as finite numbers."""
    found = _array(values, shape, reason)
    if not np.isfinite(found).all():
        raise _BadPage(reason)
    return found


def _codes(values, shape: tuple[int, ...], reason: str) -> np.ndarray:
    """Nested lists as whole numbers; nan where there is null."""
    found = _array(values, shape, reason)
    whole = found[~np.isnan(found)]
    # Beyond that, neighbouring whole numbers are one and the same float.
    if (whole % 1 != 0).any() or (abs(whole) >= 2**53).any():
        raise _BadPage(reason)
    return found


def _array(values, shape: tuple[int, ...], reason: str) -> np.ndarray:
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise _BadPage(reason) from None
    if found.shape != shape:
        raise _BadPage(reason)
    return found


def _texts(codes: np.ndarray) -> pa.Array:
    """Whole numbers as texts; nan is `NONE`."""
    is_null = np.isnan(codes)
    whole = np.where(is_null, 0, codes).astype(np.int64)
    found = pa.array(whole).cast(pa.string())
    return pc.if_else(pa.array(is_null), NONE, found)
