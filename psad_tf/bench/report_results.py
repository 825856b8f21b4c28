"""What one variant of a bench's question came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

RESULTS, ARRAYS = "results.jsonl", "per_list"
BENCHES = {
    "overall": "All rerankers",
    "efficiency": "Efficiency",
    "study": "Study of choices",
    "ablation": "Ablation",
    "distillation": "Distillation",
    "hyperparameters": "Hyperparameters",
    "interaction": "Interaction of user and items",
    "peers": "Peers",
}
SIMULATED = "click_world"


@dataclass(frozen=True)
class Result:
    """One variant, under all its seeds.

    Args:
        bench: One of `BENCHES`.
        dataset: The data set's name; those that begin with `click_world` are simulated.
        split: The lists that were measured, `validation` or `test`.
        topic: The question within the bench; the variants of one make a table.
        variant: The answer that was tried, unique in the topic.
        seeds: Of the runs; empty for what draws nothing, such as the initial order.
        per_list: Measure to `[seeds, lists]` (one row without seeds); the lists in one
            order for a whole topic. Names are `<branch>_<metric>`, such as
            `student_ndcg` and `teacher_utility`, or the metric's alone where a variant
            has no branches.
        per_run: Measure to `[seeds]`, such as `seconds_a_step`.
        lists: What the lists are: `user` and `activity` (the length of their history),
            each `[lists]`, for results by activity.
        reference: The variant that the topic's others are compared with.
        value: The number that was tried, where the topic asks for one.

    Raises:
        ValueError: The bench is unknown, or an array has another shape.
    """

    bench: str
    dataset: str
    split: str
    topic: str
    variant: str
    seeds: Sequence[int]
    per_list: Mapping[str, np.ndarray]
    per_run: Mapping[str, Sequence[float]] = field(default_factory=dict)
    lists: Mapping[str, np.ndarray] = field(default_factory=dict)
    reference: str = "default"
    value: float | None = None

    def __post_init__(self):
        if self.bench not in BENCHES:
            raise ValueError(f"bench={self.bench!r}; it must be one of {[*BENCHES]}")
        runs, count = max(len(self.seeds), 1), self.list_count
        for name, arrays, shape in (
            ("per_list", self.per_list, (runs, count)),
            ("per_run", self.per_run, (runs,)),
            ("lists", self.lists, (count,)),
        ):
            for measure, values in arrays.items():
                if np.shape(values) != shape:
                    raise ValueError(
                        f"{self.name}: {name} has {measure!r} {np.shape(values)}; with "
                        f"{len(self.seeds)} seeds it must be {shape}"
                    )

    @property
    def name(self) -> str:
        """The result in words, the same for no other one."""
        parts = self.bench, self.dataset, self.split, self.topic, self.variant
        return " / ".join(parts)

    @property
    def is_simulated(self) -> bool:
        return self.dataset.startswith(SIMULATED)

    @property
    def list_count(self) -> int:
        """How many lists were measured."""
        return max((np.shape(x)[-1] for x in self.per_list.values()), default=0)

    def restricted(self, chosen: np.ndarray) -> "Result":
        """The result on some lists, chosen by bool `[lists]`.

        On fewer than all it says nothing of whole runs.
        """
        if chosen.all():
            return self
        per_list = {name: x[:, chosen] for name, x in self.per_list.items()}
        of_lists = {name: x[chosen] for name, x in self.lists.items()}
        return replace(self, per_list=per_list, lists=of_lists, per_run={})
