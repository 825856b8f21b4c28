"""What is known of a run's data, before it is judged; imports nothing heavy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ListFacts:
    """What a run's lists are like.

    Args:
        lists: Training lists.
        length: Mean number of their candidates.
        click_rate: Mean share of clicked candidates of a training list.
        flat_share: Share of training lists of two candidates and more with one initial
            score for all; None where the data set has no initial score.
        unknown_share: Share of the test lists' candidates, counted as often as they
            are offered, that no training list offers.
    """

    lists: int
    length: float
    click_rate: float
    flat_share: float | None
    unknown_share: float


@dataclass(frozen=True)
class Anomaly:
    """Something that the schema does not allow.

    Args:
        split: Where it was found.
        feature: The raw feature; empty where it is of no one feature.
        severity: Of `SEVERITIES`.
        what: What is wrong.
    """

    split: str
    feature: str
    severity: str
    what: str


@dataclass(frozen=True)
class Found:
    """What is known of a run's data.

    Args:
        facts: Of its lists.
        before: The same of the last blessed model's; None where there is none.
        anomalies: Against the schema.
        drift: Raw name to its distance from before; empty where there is none.
        skew: Raw name to its distance from the test lists.
        texts: The raw names of text features.
    """

    facts: ListFacts
    before: ListFacts | None
    anomalies: Sequence[Anomaly]
    drift: Mapping[str, float]
    skew: Mapping[str, float]
    texts: set[str]
