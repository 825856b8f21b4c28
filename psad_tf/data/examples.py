"""The one encoder: a `RankingList` to `tf.train.Example` bytes, and back.

Training data and the requests of serving clients are both written by `encode_list`,
so the two cannot drift apart. Lists keep their own length; padding is born later, in
the exported graph. Neither TensorFlow nor Keras is imported: clients use this too.
"""

from numbers import Integral

from google.protobuf.message import DecodeError

from psad_tf.data.columns import get_columns, number, put_columns, text
from psad_tf.data.errors import DataError
from psad_tf.data.messages import Example
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import (
    LABEL,
    REQUEST_ID,
    TIMESTAMP,
    Feature,
    FeatureSet,
    candidate_name,
    history_name,
)

_MAX_INT64 = 2**63 - 1


def encode_list(ranking_list: RankingList, feature_set: FeatureSet) -> bytes:
    """Serialises one list.

    Args:
        ranking_list: The list. Without labels it is a request: `request_id`,
            `timestamp`, `label` and the truth are left out.
        feature_set: The features the list must have, no more and no fewer.

    Returns:
        A serialised `tf.train.Example`: text as bytes (UTF-8), numbers as floats, one
        value a candidate or past item and no padding. An empty history is a present
        feature with no value. Equal lists give equal bytes.

    Raises:
        DataError: A feature is missing, unknown, of the wrong type or not finite; the
            labels or the truth do not fit; or there are no or too many candidates or
            past items.
    """
    where = f"request {ranking_list.request_id!r}"
    _check_lengths(ranking_list, feature_set, where)
    candidates, history = ranking_list.candidates, ranking_list.history
    example = Example()
    out = example.features.feature
    of_candidates, of_history = feature_set.of_candidates(), feature_set.of_history()
    put_columns(
        out, [ranking_list.user], feature_set.user, _user_name, f"{where}, user"
    )
    put_columns(out, candidates, of_candidates, candidate_name, f"{where}, candidates")
    put_columns(out, history, of_history, history_name, f"{where}, history")
    if ranking_list.labels is not None:
        _put_training_only(out, ranking_list, where)
        _put_truth(out, ranking_list, feature_set, where)
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
    users = get_columns(features, feature_set.user, _user_name)
    if len(users) != 1:
        raise DataError(f"user features have {len(users)} values; expected one")
    candidates = get_columns(features, feature_set.of_candidates(), candidate_name)
    history = get_columns(features, feature_set.of_history(), history_name)
    if LABEL not in features:
        return RankingList(users[0], candidates, history)
    labels = tuple(features[LABEL].float_list.value)
    if len(labels) != len(candidates):
        raise DataError(f"{len(labels)} labels for {len(candidates)} candidates")
    (request_id,) = features[REQUEST_ID].bytes_list.value
    (timestamp,) = features[TIMESTAMP].int64_list.value
    truth = get_columns(features, feature_set.truth, candidate_name)
    return RankingList(
        users[0],
        candidates,
        history,
        labels,
        request_id.decode(),
        timestamp,
        truth if feature_set.truth else None,
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


def _put_training_only(out, ranking_list: RankingList, where: str) -> None:
    """Writes `request_id`, `timestamp` and `label`."""
    labels = [number(label, LABEL, where) for label in ranking_list.labels]
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
    request_id = text(ranking_list.request_id, REQUEST_ID, where)
    out[REQUEST_ID].bytes_list.value.append(request_id)
    out[TIMESTAMP].int64_list.value.append(int(timestamp))
    out[LABEL].float_list.value.extend(labels)


def _put_truth(out, ranking_list: RankingList, feature_set: FeatureSet, where: str):
    """Writes what a simulated world knows of the candidates."""
    truth = ranking_list.truth
    if (truth is not None) != bool(feature_set.truth):
        names = [feature.name for feature in feature_set.truth]
        has = "has none" if truth is None else "has one"
        raise DataError(
            f"{where} {has}, but the truth of {feature_set.name} has the features "
            f"{names}; give a truth with labels just where there are such features"
        )
    if truth is not None:
        if len(truth) != len(ranking_list.candidates):
            raise DataError(
                f"{where}: a truth of {len(truth)} items for "
                f"{len(ranking_list.candidates)} candidates; give one a candidate"
            )
        put_columns(out, truth, feature_set.truth, candidate_name, f"{where}, truth")
