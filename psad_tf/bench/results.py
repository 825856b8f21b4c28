"""From the folders of trials to the rows of the report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from psad_tf import tensors
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.peers import LAMBDAMART, ROWS
from psad_tf.bench.plans import Plan
from psad_tf.bench.pool import PER_LIST, SUMMARY
from psad_tf.bench.report_results import Result

_METRICS = ("ndcg", "map", "utility")


def of_plan(
    bench: str, bundle: Bundle, plan: Plan, folders: Mapping[str, Path], split: str
) -> list[Result]:
    """The results of a bench's variants, as far as their trials are done.

    Args:
        bench: One of `report_results.BENCHES`.
        bundle: The data that was measured.
        plan: What was asked.
        folders: Trial's name to its folder.
        split: The lists.
    """
    found = []
    for variant in plan.variants:
        folder = folders[variant.trial]
        if not (folder / SUMMARY).exists():
            continue
        per_list = {
            f"{reported}_{metric}": values
            for branch, reported in variant.branches
            for metric, values in _measured(folder, split, branch).items()
        }
        found.append(
            Result(
                bench=bench,
                dataset=bundle.dataset,
                split=split,
                topic=variant.topic,
                variant=variant.name,
                seeds=_seeds(folder),
                per_list=per_list,
                lists=lists_of(bundle, split),
                reference=variant.reference,
                value=variant.value,
            )
        )
    # A topic without its reference, or with nothing else, compares nothing.
    known = {r.topic for r in found if r.variant == r.reference}
    compared = {r.topic for r in found if r.variant != r.reference} & known
    return [r for r in found if r.topic in compared]


def of_peers(
    bundle: Bundle,
    folders: Mapping[str, Path],
    fixed: Mapping[str, Mapping[str, np.ndarray]],
    lambdamart: Mapping[str, np.ndarray],
    seeds: Sequence[int],
    split: str,
    references: tuple[str, ...],
) -> list[Result]:
    """One table for each reference: every row compared with it.

    Args:
        bundle: The data that was measured.
        folders: Trial's name to its folder.
        fixed: From `peers.fixed_rows`.
        lambdamart: From `peers.lambdamart_rows`; empty leaves it out.
        seeds: Of LambdaMART.
        split: The lists.
        references: Rows' names.
    """
    rows = {name: ((), dict(values)) for name, values in fixed.items()}
    if lambdamart:
        rows[LAMBDAMART] = (tuple(seeds), _named(lambdamart, split, "lambdamart"))
    for trial, branches in ROWS.items():
        folder = folders.get(trial)
        if folder is None or not (folder / SUMMARY).exists():
            continue
        for branch, name in branches.items():
            if values := _measured(folder, split, branch):
                rows[name] = (_seeds(folder), values)
    return [
        Result(
            bench="peers",
            dataset=bundle.dataset,
            split=split,
            topic=f"against {reference}",
            variant=name,
            seeds=seeds,
            per_list=values,
            lists=lists_of(bundle, split),
            reference=reference,
        )
        for reference in references
        if reference in rows
        for name, (seeds, values) in rows.items()
    ]


def lists_of(bundle: Bundle, split: str) -> dict[str, np.ndarray]:
    """Whose each list is, and how long its history.

    Unknown users share an id; each of their lists counts as a user's of its own.
    """
    columns = bundle.splits[split]
    user = columns[tensors.USER_IDS][:, 0].astype(int)
    is_unknown = user == bundle.sizes["user_unknown_ids"][0]
    return {
        "user": np.where(is_unknown, -1 - np.arange(len(user)), user),
        "activity": columns[tensors.HISTORY_IS_VALID].sum(axis=1),
    }


def _measured(folder: Path, split: str, branch: str) -> dict[str, np.ndarray]:
    with np.load(folder / PER_LIST) as stored:
        return _named(stored, split, branch)


def _named(stored, split: str, branch: str) -> dict[str, np.ndarray]:
    return {
        metric: np.asarray(stored[f"{split}/{branch}/{metric}"])
        for metric in _METRICS
        if f"{split}/{branch}/{metric}" in stored
    }


def _seeds(folder: Path) -> tuple[int, ...]:
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    return tuple(summary["trial"]["seeds"])
