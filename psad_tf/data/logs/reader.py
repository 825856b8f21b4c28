"""A data set of raw logs: its tables, how they hang together, and its list rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from psad_tf.data.logs.protocol import Protocol
from psad_tf.data.logs.tables import Table
from psad_tf.features import FeatureSet

# The columns that the engine itself reads; the others are features.
USER, ITEM, LABEL, TIME = "user", "item", "label", "time"
REQUEST, POSITION = "request", "position"


@dataclass(frozen=True)
class InitialRanker:
    """Says that the raw files hold no initial order, and of what one is learned.

    Args:
        numbers: Item features that are numbers.
        codes: User features whose texts are whole numbers.
    """

    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader:
    """One data set of raw logs. A feature's column has the feature's name.

    Args:
        features: The data set's.
        protocols: Name → rules; the first is the usual one.
        impressions: What was shown, with the columns `user`, `item` and `label`, and
            `time` (seconds since the epoch; without it, rows follow each other as in
            the files). Where rows name their request: `request` and `position` too.
        requests: Where impressions have `request` alone: their users and times, by
            `request`. A row of an unknown request is left out.
        items: By `item`. A row of an unknown item is left out.
        users: By `user`. An unknown user has the table's `missing` columns.
        initial_ranker: Where the files hold no initial order. None says that
            impressions come by `position`, with an `initial_score` each.
        utc_offset: Where days begin, in seconds before midnight UTC.
    """

    features: FeatureSet
    protocols: Mapping[str, Protocol]
    impressions: Table
    requests: Table | None = None
    items: Table | None = None
    users: Table | None = None
    initial_ranker: InitialRanker | None = None
    utc_offset: int = 0

    @property
    def tables(self) -> dict[str, Table]:
        """Role → table, of those that there are."""
        roles = ("impressions", "requests", "items", "users")
        return {role: getattr(self, role) for role in roles if getattr(self, role)}
