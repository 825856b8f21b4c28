"""Many lists at once to `tf.train.Example` bytes: what `encode_list` gives for each.

Builders of millions of lists hold columns, not objects; here the bytes are put together
from slices of them. `tests/data/test_example_batches.py` holds both to the same bytes.
Neither TensorFlow nor Keras is imported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.data.errors import DataError
from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    TIMESTAMP,
    FeatureSet,
    candidate_name,
    history_name,
)

_BYTES, _FLOAT, _INT = b"\x0a", b"\x12", b"\x1a"  # the field of each list in Feature
_FIRST = b"\x0a"  # field 1, of a length


@dataclass(frozen=True)
class Column:
    """A feature's values in many lists.

    Args:
        values: Texts, one a value, or an array of floats.
        begin: `[lists]` each list's first value.
        end: `[lists]` one past its last.
    """

    values: Sequence[bytes] | np.ndarray
    begin: np.ndarray
    end: np.ndarray


def text_values(texts: Sequence[str], codes: np.ndarray) -> list[bytes]:
    """Text values of a `Column`.

    Args:
        texts: The distinct texts.
        codes: `[values]` index of each value's text.
    """
    pieces = np.empty(len(texts), object)
    for index, text in enumerate(texts):
        pieces[index] = _field(text.encode())
    return pieces[codes].tolist()


def number_values(values: np.ndarray, name: str) -> np.ndarray:
    """Number values of a `Column`.

    Raises:
        DataError: One is not finite in float32.
    """
    with np.errstate(over="ignore"):
        found = np.asarray(values, np.float64).astype("<f4")
    if not np.isfinite(found).all():
        bad = np.asarray(values)[~np.isfinite(found)][0]
        raise DataError(
            f"{name}={float(bad)!r} is not finite in float32; replace it by a finite "
            "default in the reader"
        )
    return found


def encode_lists(
    columns: Mapping[str, Column],
    request_ids: Sequence[str],
    timestamps: Sequence[int],
    feature_set: FeatureSet,
) -> Iterator[bytes]:
    """Serialises lists with labels.

    Args:
        columns: Raw name → values, of all features and `label`.
        request_ids: Unique name of each list.
        timestamps: When each list began, in seconds since the epoch.
        feature_set: The features the lists must have, no more and no fewer.

    Raises:
        DataError: A feature is missing or unknown, or a list is too long or empty.
    """
    _check(columns, feature_set)
    if min(timestamps, default=0) < 0:
        raise DataError(
            f"{TIMESTAMP}={min(timestamps)}; send whole seconds since the epoch"
        )
    writers = {name: _writer(name, column) for name, column in columns.items()}
    writers[REQUEST_ID] = _texts(REQUEST_ID, [_field(r.encode()) for r in request_ids])
    writers[TIMESTAMP] = _whole(TIMESTAMP, timestamps)
    # Bytes of a map are those of its entries by name, which is what the message's own
    # deterministic serialisation does.
    ordered = [writers[name] for name in sorted(writers)]
    for index in range(len(request_ids)):
        yield _field(b"".join([write(index) for write in ordered]))


def _check(columns: Mapping[str, Column], feature_set: FeatureSet) -> None:
    known = {name for name, _ in feature_set.raw()} | {LABEL}
    if set(columns) != known or feature_set.truth:
        raise DataError(
            f"missing features {sorted(known - set(columns))}, unknown features "
            f"{sorted(set(columns) - known)}; give exactly these: {sorted(known)}"
        )
    user = [feature.name for feature in feature_set.user]
    candidates = [*map(candidate_name, feature_set.of_candidates()), LABEL]
    history = [*map(history_name, feature_set.of_history())]
    most = feature_set.list_length, feature_set.history_length
    _check_sizes(columns, user, 1, 1, "user")
    _check_sizes(columns, candidates, 1, most[0], "candidates")
    _check_sizes(columns, history, 0, most[1], "past items")


def _check_sizes(
    columns: Mapping[str, Column], names: Sequence[str], least: int, most: int, what
) -> None:
    """All these columns have as many values in each list, and not too many."""
    expected = None
    for name in names:
        size = columns[name].end - columns[name].begin
        expected = size if expected is None else expected
        if (size < least).any() or (size > most).any() or (size != expected).any():
            raise DataError(
                f"{name}: lists have {size.min()} to {size.max()} values; give {least} "
                f"to {most} a list, and as many of each feature of {what}"
            )


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


_VARINTS = [_varint(number) for number in range(1 << 14)]


def _length(number: int) -> bytes:
    return _VARINTS[number] if number < len(_VARINTS) else _varint(number)


def _field(content: bytes) -> bytes:
    """Field 1 of a message, with its length."""
    return _FIRST + _length(len(content)) + content


def _entry(name: str, kind: bytes):
    """A function that wraps a list's content as an entry of the map of features."""
    key = _field(name.encode()) + b"\x12"

    def wrap(content: bytes) -> bytes:
        feature = kind + _length(len(content)) + content
        entry = key + _length(len(feature)) + feature
        return _FIRST + _length(len(entry)) + entry

    return wrap


def _writer(name: str, column: Column):
    begin, end = column.begin.tolist(), column.end.tolist()
    if not isinstance(column.values, np.ndarray):
        return _texts(name, column.values, begin, end)
    packed, wrap = column.values.tobytes(), _entry(name, _FLOAT)

    def write(index: int) -> bytes:
        content = packed[4 * begin[index] : 4 * end[index]]
        return wrap(_field(content) if content else b"")

    return write


def _texts(name: str, values: Sequence[bytes], begin=None, end=None):
    wrap = _entry(name, _BYTES)
    if begin is None:
        return lambda index: wrap(values[index])
    return lambda index: wrap(b"".join(values[begin[index] : end[index]]))


def _whole(name: str, values: Sequence[int]):
    wrap = _entry(name, _INT)
    return lambda index: wrap(_field(_varint(values[index])))
