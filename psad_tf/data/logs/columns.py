"""The columns of stored lists: where each feature of the data set comes from."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psad_tf.data.errors import DataError
from psad_tf.data.example_batches import Column, number_values, text_values
from psad_tf.data.lists import SECONDS_AN_HOUR
from psad_tf.data.logs.bucket import Bucket
from psad_tf.data.logs.cut import Lists, spread
from psad_tf.data.logs.reader import ITEM
from psad_tf.features import (
    ITEM_ID,
    LABEL,
    Feature,
    FeatureSet,
    candidate_name,
    history_name,
)

USER_ID, ROW_COUNT, HOURS_AGO = "user_id", "user_row_count", "log_hours_ago"


class ListColumns:
    """The features of a bucket's lists.

    Args:
        features: The data set's.
        bucket: The rows of the bucket.
        made: Name → `[rows]` candidate features that were made, such as the score.
    """

    def __init__(
        self, features: FeatureSet, bucket: Bucket, made: dict[str, np.ndarray]
    ):
        self._features, self._bucket, self._made = features, bucket, made
        self._past = np.flatnonzero(bucket.label)

    def of(self, lists: Lists, rows: np.ndarray, end: np.ndarray) -> dict[str, Column]:
        """The columns of these lists.

        Args:
            lists: The lists.
            rows: Their candidates, in order, list after list.
            end: `[lists]` one past each list's last candidate in `rows`.
        """
        begin = np.concatenate([[0], end[:-1]]) if len(end) else end
        one = np.arange(len(end))
        found = {LABEL: Column(self._labels(rows), begin, end)}
        for feature in self._features.user:
            values = self._of_user(feature, lists)
            found[feature.name] = Column(values, one, one + 1)
        for feature in self._features.of_candidates():
            name = candidate_name(feature)
            found[name] = Column(self._of_rows(feature, rows, name), begin, end)
        for feature in self._features.item:
            # Histories overlap: one column of all clicked rows serves all of them.
            name = history_name(feature)
            values = self._of_rows(feature, self._past, name)
            found[name] = Column(values, lists.past_begin, lists.past_end)
        for feature in self._features.history:
            found[history_name(feature)] = self._of_past(feature, lists)
        return found

    def _labels(self, rows: np.ndarray) -> np.ndarray:
        return number_values(self._bucket.label[rows], LABEL)

    def _of_user(self, feature: Feature, lists: Lists):
        user = self._bucket.user[lists.begin]
        if feature.name == USER_ID:
            return _values(feature, self._bucket.users, user, feature.name)
        if feature.name == ROW_COUNT:
            return number_values(lists.rows_before, feature.name)
        profiles = self._bucket.profiles
        if feature.name in profiles.schema.names:
            return _values(feature, profiles[feature.name], user, feature.name)
        return self._of_rows(feature, lists.begin, feature.name)

    def _of_rows(self, feature: Feature, rows: np.ndarray, name: str):
        bucket = self._bucket
        if feature.name in self._made:
            return number_values(self._made[feature.name][rows], name)
        column = ITEM if feature.name == ITEM_ID else feature.name
        if column in bucket.items.schema.names:
            return _values(feature, bucket.items[column], bucket.item[rows], name)
        if column in bucket.rows.schema.names:
            return _values(feature, bucket.rows[column], rows, name)
        raise DataError(
            f"feature {feature.name!r} of {self._features.name} is in no table of the "
            "reader and none that is made; add a column of that name"
        )

    def _of_past(self, feature: Feature, lists: Lists) -> Column:
        """A feature that a past item has in one list: its values list after list."""
        if feature.name != HOURS_AGO:
            values = self._of_rows(feature, self._past, history_name(feature))
            return Column(values, lists.past_begin, lists.past_end)
        past, which = spread(lists.past_begin, lists.past_end)
        ago = lists.t_start[which] - self._bucket.time[self._past[past]]
        hours = number_values(np.log1p(ago / SECONDS_AN_HOUR), feature.name)
        end = np.cumsum(lists.past_end - lists.past_begin)
        return Column(hours, end - (lists.past_end - lists.past_begin), end)


def _values(feature: Feature, column: pa.Array, place: np.ndarray, name: str):
    """Values of a column at some places, as an example holds them."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    # Unknown items have no values; no row of theirs is left.
    if column.null_count and not column.is_valid().to_numpy(False)[place].all():
        raise DataError(f"{name} has no value in some row; fill it in the reader")
    if not feature.kind.is_text:
        numbers = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
        return number_values(numbers[place], name)
    found = pc.fill_null(column, "").dictionary_encode()
    return text_values(found.dictionary.to_pylist(), found.indices.to_numpy()[place])


def request_ids(bucket: Bucket, lists: Lists, requests: pa.Array | None) -> Sequence:
    """The unique name of each list."""
    if requests is not None:
        return requests.take(pa.array(lists.begin)).to_pylist()
    users = bucket.users.take(pa.array(bucket.user[lists.begin])).to_pylist()
    parts = zip(users, lists.t_start.tolist(), lists.number.tolist(), strict=True)
    return [f"{user}-{start}-{number}" for user, start, number in parts]
