"""The one encoder: a `RankingList` to `tf.train.Example` bytes, and back.

Training data and the requests of serving clients are both written by `encode_list`,
so the two cannot drift apart. Lists keep their own length; padding is born later, in
the exported graph. Neither TensorFlow nor Keras is imported: clients use this too.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real

from google.protobuf.message import DecodeError

from psad_tf.data.errors import DataError
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList, Value
from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    TIMESTAMP,
    Feature,
    FeatureSet,
    candidate_name,
    history_name,
)

_MAX_FLOAT32 = 3.4028234663852886e38
_MAX_INT64 = 2**63 - 1

Namer = Callable[[Feature], str]


def encode_list(ranking_list: RankingList, feature_set: FeatureSet) -> bytes:
    """Serialises one list.

    Args:
        ranking_list: The list. Without labels it is a request: `request_id`,
            `timestamp` and `label` are left out.
        feature_set: The features the list must have, no more and no fewer.

    Returns:
        A serialised `tf.train.Example`: text as bytes (UTF-8), numbers as floats, one
        value a candidate or past item and no padding. An empty history is a present
        feature with no value. Equal lists give equal bytes.

    Raises:
        DataError: A feature is missing, unknown, of the wrong type or not finite; the
            labels do not fit; or there are no or too many candidates or past items.
    """
    where = f"request {ranking_list.request_id!r}"
    _check_lengths(ranking_list, feature_set, where)
    candidates, history = ranking_list.candidates, ranking_list.history
    example = Example()
    out = example.features.feature
    of_candidates, of_history = feature_set.of_candidates(), feature_set.of_history()
    _put(out, [ranking_list.user], feature_set.user, _user_name, f"{where}, user")
    _put(out, candidates, of_candidates, candidate_name, f"{where}, candidates")
    _put(out, history, of_history, history_name, f"{where}, history")
    if ranking_list.labels is not None:
        _put_training_only(out, ranking_list, where)
    return example.SerializeToString(deterministic=True)


def decode_list(serialized: bytes, feature_set: FeatureSet) -> RankingList:
    """Reads back what `encode_list` wrote; numbers come back as float32 holds them.

    Raises:
        DataError: The bytes are no `tf.train.Example`, or a feature is missing or does
            not have one value a candidate or past item.
    """
    try:
        features = Example.FromString(serialized).features.feature
    except DecodeError as error:
        raise DataError(f"these bytes are no tf.train.Example: {error}") from error
    users = _get(features, feature_set.user, _user_name)
    if len(users) != 1:
        raise DataError(f"user features have {len(users)} values; expected one")
    candidates = _get(features, feature_set.of_candidates(), candidate_name)
    history = _get(features, feature_set.of_history(), history_name)
    if LABEL not in features:
        return RankingList(users[0], candidates, history)
    labels = tuple(features[LABEL].float_list.value)
    if len(labels) != len(candidates):
        raise DataError(f"{len(labels)} labels for {len(candidates)} candidates")
    (request_id,) = features[REQUEST_ID].bytes_list.value
    (timestamp,) = features[TIMESTAMP].int64_list.value
    return RankingList(
        users[0], candidates, history, labels, request_id.decode(), timestamp
    )


def _user_name(feature: Feature) -> str:
    return feature.name


def _check_lengths(ranking_list: RankingList, feature_set: FeatureSet, where: str):
    candidates, history = len(ranking_list.candidates), len(ranking_list.history)
    if not 1 <= candidates <= feature_set.list_length:
        raise DataError(
            f"{where}: {candidates} candidates; {feature_set.name} takes 1 to "
            f"{feature_set.list_length}, so send fewer (or several requests)"
        )
    if history > feature_set.history_length:
        raise DataError(
            f"{where}: {history} past items; {feature_set.name} takes at most "
            f"{feature_set.history_length}, so keep the latest ones"
        )


def _put(
    out, items: Sequence[Mapping[str, Value]], features, name_of: Namer, where: str
) -> None:
    """Writes each feature's values, one an item, into the example's map `out`."""
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
        check = _text if feature.kind.is_text else _number
        values = [
            check(item[feature.name], name, f"{where}[{position}]")
            for position, item in enumerate(items)
        ]
        kind = "bytes_list" if feature.kind.is_text else "float_list"
        column = getattr(out[name], kind)
        column.SetInParent()  # present, even with no value
        column.value.extend(values)


def _text(value: Value, name: str, where: str) -> bytes:
    if not isinstance(value, str):
        raise DataError(f"{where}: {name}={value!r} is no text; send a str")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where}: {name}={value!r} is no valid Unicode text ({error.reason}); "
            "decode it properly first"
        ) from error


def _number(value: Value, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise DataError(f"{where}: {name}={value!r} is no number; send a float")
    number = float(value)
    if not math.isfinite(number) or abs(number) > _MAX_FLOAT32:
        raise DataError(
            f"{where}: {name}={value!r} is not finite in float32; replace it by a "
            "finite default before sending"
        )
    return number


def _put_training_only(out, ranking_list: RankingList, where: str) -> None:
    """Writes `request_id`, `timestamp` and `label`."""
    labels = [_number(label, LABEL, where) for label in ranking_list.labels]
    if len(labels) != len(ranking_list.candidates):
        raise DataError(
            f"{where}: {len(labels)} labels for {len(ranking_list.candidates)} "
            "candidates; give one a candidate"
        )
    if not set(labels) <= {0.0, 1.0}:
        raise DataError(f"{where}: {LABEL}={labels}; each must be 0 or 1")
    if not ranking_list.request_id:
        raise DataError(f"{where}: a list with labels needs a non-empty {REQUEST_ID}")
    timestamp = ranking_list.timestamp
    if not isinstance(timestamp, Integral) or not 0 <= timestamp <= _MAX_INT64:
        raise DataError(
            f"{where}: {TIMESTAMP}={timestamp!r}; send whole seconds since the epoch"
        )
    request_id = _text(ranking_list.request_id, REQUEST_ID, where)
    out[REQUEST_ID].bytes_list.value.append(request_id)
    out[TIMESTAMP].int64_list.value.append(int(timestamp))
    out[LABEL].float_list.value.extend(labels)


def _get(features, wanted: Sequence[Feature], name_of: Namer) -> tuple[dict, ...]:
    """The items as mappings, from features of equal length."""
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
