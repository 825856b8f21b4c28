"""Names and sentences for people."""

from dataclasses import dataclass

RANKER_TITLES = {
    "served": "Reranked (served)",
    "initial": "Initial order",
    "mean_rating": "Mean rating so far",
    "random": "Random order",
}
_MEASURE_TITLES = {
    "ndcg": "NDCG@{k}",
    "map": "MAP@{k} (by hits)",
    "map_by_relevant": "MAP@{k} (by relevant)",
}
_GAIN = "_gain_over_initial"


def metric_title(name: str) -> str:
    """A metric's name for people.

    >>> metric_title("ndcg_at_10_gain_over_initial")
    'NDCG@10 gain over the initial order'
    >>> metric_title("map_by_relevant_at_5")
    'MAP@5 (by relevant)'
    >>> metric_title("example_count")
    'example count'
    """
    if name.endswith(_GAIN):
        return f"{metric_title(name.removesuffix(_GAIN))} gain over the initial order"
    measure, _, k = name.rpartition("_at_")
    if measure in _MEASURE_TITLES:
        return _MEASURE_TITLES[measure].format(k=k)
    return name.replace("_", " ")


def group_title(partition: str, label: str) -> str:
    """A group of lists for people.

    >>> group_title("age_group", "25-34")
    'age group: 25-34'
    >>> group_title("all", "all lists")
    'all lists'
    """
    return label if partition == "all" else f"{partition.replace('_', ' ')}: {label}"


@dataclass(frozen=True)
class Decision:
    """What became of the model.

    Args:
        blessed: Whether the gate let the model pass.
        served: Whether the real server answered right with it.
        pushed: Whether clients get it now.
        version: Its number in the model store, if it was pushed.
        destination: Its folder in the model store, if it was pushed.
        reasons: Why it was not pushed; empty if it was.
    """

    blessed: bool
    served: bool
    pushed: bool
    version: str
    destination: str
    reasons: tuple[str, ...]

    def sentence(self) -> str:
        """The decision in one sentence."""
        if self.pushed:
            return f"Pushed as version {self.version} to {self.destination}."
        return f"Not pushed: {'; '.join(self.reasons)}."


def decide(
    blessed: bool,
    served: bool,
    pushed: bool,
    version: str,
    destination: str,
    failed_checks: list[str],
    serving_reason: str,
) -> Decision:
    """The decision, with every reason that stood against a push.

    Args:
        blessed: Of the gate.
        served: Of the serving check.
        pushed: Of the Pusher.
        version: Of the Pusher.
        destination: Of the Pusher.
        failed_checks: Sentences of the checks that failed.
        serving_reason: What the serving check says of its result.
    """
    reasons = []
    if not blessed:
        failed = "; ".join(failed_checks) or "nothing was checked"
        reasons.append(f"the gate refused the model ({failed})")
    if not served:
        reasons.append(f"the serving check failed ({serving_reason})")
    if not pushed and not reasons:
        reasons.append("the Pusher refused a model that every check had passed")
    return Decision(
        blessed, served, pushed, version, destination, () if pushed else tuple(reasons)
    )
