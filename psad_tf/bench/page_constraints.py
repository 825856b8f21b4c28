"""What a shop's rules for a page cost: PSAD-S's order of test lists, with and without.

The rules are applied by the clients' own code, `serving.page`, to the scores of a model
that is trained here, for stored trials keep no scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from psad_tf.bench.bundle import Bundle
from psad_tf.bench.evaluate import evaluate, order_of_scores, scores_of_order
from psad_tf.bench.page_constraints_rules import NO_RULE, candidates_of, rules_of
from psad_tf.bench.pool import key
from psad_tf.bench.statistics import compare
from psad_tf.bench.trial import Trial
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import ITEM_ID
from serving.answers import Reranked
from serving.page import lay_out

LISTS, QUICK_LISTS = 2000, 200
MEASURES = ("ndcg", "ild", "utility")


def trial(seeds: Sequence[int], **limits: Any) -> Trial:
    """The model whose scores are ordered."""
    return Trial("psad", seeds=tuple(seeds), splits=(), **limits)


def measure_page(
    bundle: Bundle, asked: Trial, preset: Mapping, folder: Path, lists: int = LISTS
) -> list[dict]:
    """Lays out the test lists under each rule.

    Args:
        bundle: The data.
        asked: What to train, see `trial`.
        preset: `model` and `training`, fields by name.
        folder: Where the model's scores are kept, so that they are made once.
        lists: The most test lists, from the first one.

    Returns:
        A row a rule: `rule`; `measures`, each one's mean; `costs`, each one's `Paired`
        comparison with no rule; `changed`, `broken` and `unproven`, the shares of pages
        that the rule changed, on which it does not hold everywhere, and of those on
        which it may be that it could.
    """
    scores = student_scores(bundle, asked, preset, folder)[:, :lists]
    test = {name: values[:lists] for name, values in bundle.splits["test"].items()}
    bundle = replace(bundle, splits={**bundle.splits, "test": test})
    candidates, found = candidates_of(bundle), {}
    for name, rules in rules_of(bundle.dataset).items():
        found[name] = _laid_out(bundle, scores, candidates, rules, name)
    usual = found[NO_RULE]
    return [
        {
            "rule": name,
            "measures": {m: float(values.mean()) for m, values in measures.items()},
            "costs": {m: compare(measures[m], usual[0][m]) for m in measures},
            "changed": float((orders != usual[1]).any(axis=2).mean()),
            "broken": float((state > 0).mean()),
            "unproven": float((state > 1).mean()),
            "lists": orders.shape[1],
            "seeds": len(orders),
        }
        for name, (measures, orders, state) in found.items()
    ]


def student_scores(
    bundle: Bundle, asked: Trial, preset: Mapping, folder: Path
) -> np.ndarray:
    """PSAD-S's scores of the test lists: float32 `[seeds, lists, list]`.

    They lie in a file that is named for all they depend on; without it, the model is
    trained.
    """
    name = key(asdict(asked), dict(preset), bundle.fingerprint)
    file = Path(folder) / f"scores-{name}.npy"
    if not file.exists():
        from psad_tf.bench.branches import branches
        from psad_tf.bench.run import run_trial
        from psad_tf.bench.stacked import on_device

        _, models = run_trial(asked, bundle, preset)
        student = branches(asked, models.model)["student"]
        scores = np.asarray(student(models, on_device(bundle.splits["test"])))
        file.parent.mkdir(parents=True, exist_ok=True)
        # Under its name once whole, so that one that was broken off is made anew.
        partial = file.with_suffix(".partial.npy")
        np.save(partial, scores.astype(np.float32))
        partial.rename(file)
    return np.load(file)


def _laid_out(bundle, scores, candidates, rules, name):
    """Measures `[seeds, lists]`; orders; 1 where rules are broken, 2 if unproven."""
    orders = np.full(scores.shape, -1, np.int32)
    state = np.zeros(scores.shape[:2], int)
    with tqdm(total=state.size, unit="page", desc=name[:40]) as bar:
        for seed, number, page in _pages(bundle, scores, candidates, rules):
            orders[seed, number, : len(page.answer.order)] = page.answer.order
            state[seed, number] = bool(page.relaxed) + (not page.is_proven)
            bar.update()
    measured = [
        evaluate(bundle, "test", scores_of_order(of_seed), is_whole=True)
        for of_seed in orders
    ]
    found = {
        m: np.stack([values[m] for values in measured])
        for m in MEASURES
        if m in measured[0]
    }
    return found, orders, state


def _pages(bundle, scores, candidates, rules) -> Iterator[tuple]:
    is_valid = bundle.is_valid("test")
    for seed, of_seed in enumerate(scores):
        for number, order in enumerate(order_of_scores(of_seed, is_valid)):
            order, items = order[order >= 0], candidates[number]
            answer = Reranked(
                tuple(items[i][ITEM_ID] for i in order),
                tuple(of_seed[number, order].tolist()),
                tuple(order.tolist()),
            )
            page = lay_out(answer, RankingList({}, items), rules(number, items))
            yield seed, number, page
