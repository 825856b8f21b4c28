"""The values of items in a `tf.train.Example`: one column a feature, one value an item.

Neither TensorFlow nor Keras is imported: clients use this too.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real

from psad_tf.data.errors import DataError
from psad_tf.data.ranking_list import Value
from psad_tf.features import Feature

_MAX_FLOAT32 = 3.4028234663852886e38

Namer = Callable[[Feature], str]


def put_columns(
    out, items: Sequence[Mapping[str, Value]], features, name_of: Namer, where: str
) -> None:
    """Writes each feature's values, one an item, into an example.

    Args:
        out: The example's map of name to feature.
        items: Each item's features by name: all of `features` and no other.
        features: What is written.
        name_of: Gives a feature's name in the example.
        where: What the items are, for errors.

    Raises:
        DataError: A feature is missing, unknown, of the wrong type or not finite.
    """
    known = {feature.name for feature in features}
    for position, item in enumerate(items):
        given = set(item) if isinstance(item, Mapping) else set()
        if given != known:
            raise DataError(
                f"{where}[{position}]: missing features {sorted(known - given)}, "
                f"unknown features {sorted(given - known)}; give exactly these, by "
                f"name: {sorted(known)}"
            )
    for feature in features:
        name = name_of(feature)
        check = text if feature.kind.is_text else number
        values = [
            check(item[feature.name], name, f"{where}[{position}]")
            for position, item in enumerate(items)
        ]
        kind = "bytes_list" if feature.kind.is_text else "float_list"
        column = getattr(out[name], kind)
        column.SetInParent()  # present, even with no value
        column.value.extend(values)


def text(value: Value, name: str, where: str) -> bytes:
    """The value as UTF-8, or `DataError` if it is no text."""
    if not isinstance(value, str):
        raise DataError(f"{where}: {name}={value!r} is no text; send a str")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where}: {name}={value!r} is no valid Unicode text ({error.reason}); "
            "decode it properly first"
        ) from error


def number(value: Value, name: str, where: str) -> float:
    """The value as a float, or `DataError` if it is no number or not finite."""
    is_float = type(value) is float  # nearly always, and the quickest to ask
    if not is_float and (isinstance(value, bool) or not isinstance(value, Real)):
        raise DataError(f"{where}: {name}={value!r} is no number; send a float")
    number = float(value)
    if not math.isfinite(number) or abs(number) > _MAX_FLOAT32:
        raise DataError(
            f"{where}: {name}={value!r} is not finite in float32; replace it by a "
            "finite default before sending"
        )
    return number


def get_columns(
    features, wanted: Sequence[Feature], name_of: Namer
) -> tuple[dict, ...]:
    """Reads back the items that `put_columns` wrote, each a mapping by name.

    Raises:
        DataError: A feature is missing, or has more or fewer values than another.
    """
    columns = {}
    for feature in wanted:
        name = name_of(feature)
        if name not in features:
            raise DataError(f"the example has no feature {name!r}; encode it anew")
        if feature.kind.is_text:
            values = [value.decode() for value in features[name].bytes_list.value]
        else:
            values = list(features[name].float_list.value)
        columns[feature.name] = values
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"features of different lengths: {lengths}; encode them anew")
    rows = zip(*columns.values(), strict=True)
    return tuple(dict(zip(columns, row, strict=True)) for row in rows)
