"""The unit of everything that follows: one request's candidates, with their context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | float


@dataclass(frozen=True)
class RankingList:
    """One list: who asks, their past items, what is offered, what they clicked.

    Feature names are those of a `FeatureSet`, without place prefixes.

    Args:
        user: Profile feature name → value.
        candidates: For each candidate, in the initial order, its features by name.
        history: For each past item, oldest first, its features by name; may be empty.
        labels: For each candidate 1.0 (click) or 0.0; None when serving.
        request_id: Unique name of the list; empty when serving.
        timestamp: When the list began, in seconds since the epoch; 0 when serving.
        truth: For each candidate, what only a simulated world knows of it, by name;
            None for real data and when serving.
    """

    user: Mapping[str, Value]
    candidates: Sequence[Mapping[str, Value]]
    history: Sequence[Mapping[str, Value]] = ()
    labels: Sequence[float] | None = None
    request_id: str = ""
    timestamp: int = 0
    truth: Sequence[Mapping[str, Value]] | None = None
