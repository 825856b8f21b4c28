"""The comparison of all rerankers in figures: what `overall.json` holds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from psad_tf.bench import statistics
from psad_tf.bench.report_results import Result
from psad_tf.bench.report_run import Run
from psad_tf.bench.report_tables import paired_runs
from psad_tf.errors import InputError
from psad_tf.metrics import paired_bootstrap
from psad_tf.report_page.record import plain

BENCH, LEADING = "overall", "ndcg"
# Every method is held against these, as far as they were measured.
REFERENCES = ("PSAD-G", "PSAD-S", "initial order")
RESAMPLES = 2_000
# What is said of a method; null where it does not apply.
KNOWN = (
    "learning_rate",
    "options",
    "configurations",
    "validation_ndcg",
    "parameters",
    "knows_history",
    "note",
)


def content_of(
    results: Sequence[Result], methods: Mapping[str, Mapping[str, Any]], run: Run
) -> dict[str, Any]:
    """Everything that the tables are made from, as plain values.

    Args:
        results: As for `write_overall`.
        methods: As for `write_overall`.
        run: How the results came about.

    Returns:
        `run`; `methods`, each with `KNOWN`; and `datasets`, each with its name,
        `is_simulated`, `split`, `lists`, `references` and `methods`: by title the
        `seeds`, `per_seed` (metric to a mean for each seed), `over_seeds`, `over_lists`
        and `against` (reference to metric to the comparison).

    Raises:
        InputError: The results don't fit together, or to the methods.
    """
    _check_methods(results, methods)
    found = defaultdict(list)
    for result in results:
        found[result.dataset].append(result)
    datasets = [_dataset(members) for members in found.values()]
    known = {title: dict.fromkeys(KNOWN) | dict(v) for title, v in methods.items()}
    return plain({"run": run, "methods": known, "datasets": datasets})


def _check_methods(results, methods) -> None:
    if not results:
        raise InputError("there is no result of `psad bench overall`; run it first")
    titles = dict.fromkeys(result.variant for result in results)
    unlike = sorted({*titles} ^ {*methods})
    if unlike:
        raise InputError(
            f"{', '.join(unlike)}: each method needs a result and a description; "
            f"there are results of {[*titles]} and descriptions of {[*methods]}"
        )


def _check(results: Sequence[Result]) -> None:
    first, names = results[0], [result.name for result in results]
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise InputError(f"{twice[0]} is there twice; delete one of them")
    for result in results:
        ours, theirs = ((r.bench, r.split, r.list_count) for r in (result, first))
        if ours != theirs or ours[0] != BENCH:
            raise InputError(
                f"{result.name} has bench, split and number of lists {ours}, but "
                f"{first.name} {theirs}; all need {BENCH!r} and the same lists"
            )
        if LEADING not in result.per_list:
            raise InputError(f"{result.name}: per_list has no {LEADING!r}; measure it")


def _dataset(results: Sequence[Result]) -> dict[str, Any]:
    _check(results)
    first, by_title = results[0], {r.variant: r for r in results}
    references = [name for name in REFERENCES if name in by_title]
    p_holm = _corrected(by_title, references)
    return {
        "dataset": first.dataset,
        "is_simulated": first.is_simulated,
        "split": first.split,
        "lists": first.list_count,
        "references": references,
        "methods": {
            title: _summary(result)
            | {
                "against": {
                    name: _against(result, by_title[name], p_holm)
                    for name in references
                    if name != title
                }
            }
            for title, result in by_title.items()
        },
    }


def _summary(result: Result) -> dict[str, Any]:
    lists = {n: np.asarray(x, np.float64) for n, x in result.per_list.items()}
    per_seed = {name: values.mean(axis=1) for name, values in lists.items()}
    per_seed |= {name: np.asarray(x, float) for name, x in result.per_run.items()}
    return {
        "seeds": list(result.seeds),
        "per_seed": {name: values.tolist() for name, values in per_seed.items()},
        "over_seeds": {n: statistics.over_seeds(x) for n, x in per_seed.items()},
        "over_lists": {
            name: statistics.mean_interval(values.mean(axis=0))
            for name, values in lists.items()
        },
    }


def _corrected(by_title, references) -> dict[tuple[str, frozenset], float]:
    """Metric and pair of methods to the p-value, corrected within the metric.

    A family is all pairs that a reference is in; a pair of references counts once.
    """
    families = defaultdict(dict)
    for one, other in combinations(by_title, 2):
        if {one, other} & {*references}:
            first, second = by_title[one], by_title[other]
            for name in _shared(first, second):
                paired = statistics.compare(*_doubles(first, second, name))
                families[name][frozenset((one, other))] = paired.p_value
    return {
        (name, pair): p_value
        for name, family in families.items()
        for pair, p_value in zip(
            family, statistics.holm([*family.values()]), strict=True
        )
    }


def _against(result: Result, reference: Result, p_holm) -> dict[str, dict[str, Any]]:
    found = {}
    for name in _shared(result, reference):
        mine, theirs = _doubles(result, reference, name)
        paired = statistics.compare(mine, theirs)
        by_list = (mine - theirs).mean(axis=0)
        mean, low, high = paired_bootstrap(by_list, RESAMPLES)
        found[name] = {
            "difference": statistics.Interval(mean, low, high),
            "over_seeds": paired.over_seeds,
            "p": paired.p_value,
            "p_holm": p_holm[name, frozenset((result.variant, reference.variant))],
            "effect": paired.effect,
            "ties": paired.ties,
        }
    return found


def _shared(first: Result, second: Result) -> list[str]:
    return [name for name in first.per_list if name in second.per_list]


def _doubles(first: Result, second: Result, name: str) -> list[np.ndarray]:
    return [np.asarray(x, np.float64) for x in paired_runs(first, second, name)]
