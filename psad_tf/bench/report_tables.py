"""Results into tables: a row for each variant, compared with the topic's reference."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from psad_tf.bench import statistics
from psad_tf.bench.report_groups import groups_of
from psad_tf.bench.report_results import Result
from psad_tf.bench.statistics import Interval, OverSeeds, Paired
from psad_tf.errors import InputError

# The metrics that variants are compared by; the columns of others come after theirs.
COMPARED = ("ndcg", "utility")


@dataclass(frozen=True)
class Row:
    """One variant.

    Args:
        variant: Its name.
        value: The number that was tried, if it is one.
        seeds: Of its runs; empty for what draws nothing.
        means: Measure to its values over seeds.
        over_lists: Measure to its mean with the interval over lists.
        against: Measure to the comparison with the reference, none in its own row.
        p_holm: Measure to that comparison's p-value, corrected within its family.
        kept: The student's share of the teacher's NDCG@10, where there are both.
    """

    variant: str
    value: float | None
    seeds: Sequence[int]
    means: Mapping[str, OverSeeds]
    over_lists: Mapping[str, Interval]
    against: Mapping[str, Paired]
    p_holm: Mapping[str, float]
    kept: float | None

    @property
    def title(self) -> str:
        """The variant, with the number it stands for where its name doesn't say it."""
        if self.value is None or self.variant == f"{self.value:g}":
            return self.variant
        return f"{self.variant} ({self.value:g})"


@dataclass(frozen=True)
class Table:
    """The variants of one topic on one group of lists.

    Args:
        bench, dataset, split, topic, reference, is_simulated: As in `Result`.
        group: `ALL`, or whose lists.
        lists: How many there are.
        measures: The names of what was measured, in the order of columns.
        rows: The reference first, then as the results came.
    """

    bench: str
    dataset: str
    split: str
    topic: str
    reference: str
    is_simulated: bool
    group: str
    lists: int
    measures: Sequence[str]
    rows: Sequence[Row]

    @property
    def has_both_branches(self) -> bool:
        """Whether the student can be held against the teacher."""
        return any(row.kept is not None for row in self.rows)

    def compared(self, metric: str = "") -> list[str]:
        """The measures that rows are compared by; those of one metric, if named."""
        return [m for m in self.measures if m.endswith(metric or COMPARED)]


def build_tables(results: Sequence[Result]) -> list[Table]:
    """All tables: on all lists and, for the interaction bench, by users' activity.

    P-values are corrected within the family of one bench, data set, split, group and
    measure, over all topics.

    Raises:
        InputError: A result is there twice, a topic's reference is missing, or its
            results don't fit together.
    """
    topics = defaultdict(list)
    for result in results:
        key = result.bench, result.dataset, result.split, result.topic
        topics[key].append(result)
    tables = []
    for members in topics.values():
        _check(members)
        for group, chosen in groups_of(members[0]).items():
            tables.append(_table([r.restricted(chosen) for r in members], group))
    return _corrected(tables)


def _check(results: Sequence[Result]) -> None:
    first, names = results[0], [r.name for r in results]
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise InputError(f"{twice[0]} is there twice; delete one of its lines")
    if first.reference not in (r.variant for r in results):
        raise InputError(
            f"{first.name} is to be compared with {first.reference!r}, of which there "
            "is no result; run that variant, too"
        )
    for result in results:
        ours, theirs = ((r.reference, r.list_count) for r in (result, first))
        if ours != theirs:
            raise InputError(
                f"{result.name} has reference and number of lists {ours}, but "
                f"{first.name} {theirs}; one topic needs the same of both"
            )


def _table(results: Sequence[Result], group: str) -> Table:
    first = results[0]
    # Stable: the others stay as they came.
    ordered = sorted(results, key=lambda r: r.variant != first.reference)
    rows = [_row(result, ordered[0]) for result in ordered]
    found = list(dict.fromkeys(name for row in rows for name in row.means))
    measures = [n for metric in COMPARED for n in found if n.endswith(metric)]
    measures += [n for n in found if n not in measures]
    shared = first.bench, first.dataset, first.split, first.topic, first.reference
    return Table(*shared, first.is_simulated, group, first.list_count, measures, rows)


def _row(result: Result, reference: Result) -> Row:
    runs = {n: np.mean(x, axis=1) for n, x in result.per_list.items()} | result.per_run
    means = {name: statistics.over_seeds(values) for name, values in runs.items()}
    kept = None
    if {"student_ndcg", "teacher_ndcg"} <= set(means):
        kept = means["student_ndcg"].mean / means["teacher_ndcg"].mean
    return Row(
        result.variant,
        result.value,
        result.seeds,
        means,
        {
            name: statistics.mean_interval(np.mean(values, axis=0))
            for name, values in result.per_list.items()
        },
        {
            name: statistics.compare(*paired_runs(result, reference, name))
            for name in result.per_list
            if result is not reference
            and name.endswith(COMPARED)
            and name in reference.per_list
        },
        {},
        kept,
    )


def paired_runs(result: Result, reference: Result, name: str) -> tuple:
    """Both results' values `[seeds, lists]` under the seeds they share.

    Raises:
        InputError: They share none.
    """
    mine, theirs = result.per_list[name], reference.per_list[name]
    if not result.seeds or not reference.seeds:
        return mine, theirs
    common = [seed for seed in result.seeds if seed in reference.seeds]
    if not common:
        raise InputError(
            f"{result.name}: seeds {list(result.seeds)}, but the reference has "
            f"{list(reference.seeds)}; run both with the same seeds"
        )
    return (
        mine[[result.seeds.index(seed) for seed in common]],
        theirs[[reference.seeds.index(seed) for seed in common]],
    )


def _corrected(tables: Sequence[Table]) -> list[Table]:
    families = defaultdict(dict)
    for i, table in enumerate(tables):
        for j, row in enumerate(table.rows):
            for name, paired in row.against.items():
                family = table.bench, table.dataset, table.split, table.group, name
                families[family][i, j] = paired.p_value
    found = defaultdict(dict)
    for (*_, name), members in families.items():
        corrected = statistics.holm([*members.values()])
        for place, p_value in zip(members, corrected, strict=True):
            found[place][name] = p_value
    return [
        replace(t, rows=[replace(r, p_holm=found[i, j]) for j, r in enumerate(t.rows)])
        for i, t in enumerate(tables)
    ]
