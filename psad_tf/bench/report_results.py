"""What one variant of a bench's question came to, and the folder that keeps them all.

The folder holds `results.jsonl`, one `Result` a line without its arrays, and
`per_list/`, an npz file for each different set of arrays, named by its content. A line
is written after its arrays, so that a bench that was killed leaves whole results alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from psad_tf.errors import InputError

RESULTS, ARRAYS = "results.jsonl", "per_list"
BENCHES = {
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


def append_result(folder: Path, result: Result) -> None:
    """Adds a result to the folder, which is made if need be."""
    folder = Path(folder)
    arrays = {f"per_list/{name}": _small(x) for name, x in result.per_list.items()}
    arrays |= {f"lists/{name}": _small(x) for name, x in result.lists.items()}
    path = folder / ARRAYS / f"{_digest(arrays)}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)
        partial.rename(path)
    line = asdict(replace(result, per_list={}, lists={}))
    line["per_run"] = {k: np.asarray(v).tolist() for k, v in result.per_run.items()}
    line["seeds"] = list(result.seeds)
    line["per_list"] = path.relative_to(folder).as_posix()
    del line["lists"]
    with (folder / RESULTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def load_results(folder: Path) -> list[Result]:
    """The results of a folder, in the order they were added.

    Raises:
        InputError: There are none, or a line is none that `append_result` wrote.
    """
    folder = Path(folder)
    path = folder / RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if not lines:
        raise InputError(f"{path} holds no result; run a bench into this folder first")
    return [_result(folder, f"{path}:{i}", line) for i, line in enumerate(lines, 1)]


def _result(folder: Path, place: str, line: str) -> Result:
    try:
        values = json.loads(line)
        groups = {"per_list": {}, "lists": {}}
        with np.load(folder / values.pop("per_list")) as arrays:
            for key, array in arrays.items():
                group, _, name = key.partition("/")
                groups[group][name] = array
        return Result(**values, **groups)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        names = ", ".join(f.name for f in fields(Result))
        raise InputError(
            f"{place} is no result with {names} ({error}); delete the line and run "
            "the bench again, which repeats it"
        ) from error


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _small(values) -> np.ndarray:
    """Measures as float32; whole numbers and names as they are."""
    values = np.asarray(values)
    return values.astype(np.float32) if values.dtype.kind == "f" else values
