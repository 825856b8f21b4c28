"""All rerankers under one protocol: tuned alike, trained alike, measured alike.

`docs/protocol.md` has it in words. Three steps: every method's search, on validation
lists alone; the chosen configurations under all seeds; the table, of test lists.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from psad_tf.baselines.mmr import category_similarity, mmr_order, scaled, tune
from psad_tf.bench import results
from psad_tf.bench.bundle import SPLITS, Bundle
from psad_tf.bench.evaluate import evaluate, scores_of_order
from psad_tf.bench.exposure import categories
from psad_tf.bench.peers import INITIAL, LAMBDAMART
from psad_tf.bench.pool import PER_LIST, SUMMARY
from psad_tf.bench.report_results import Result
from psad_tf.bench.trial import Trial
from psad_tf.bench.tuning import Chosen, Method, choose, searches
from psad_tf.feature_sets import feature_set
from psad_tf.features import INITIAL_SCORE
from psad_tf.tensors import CANDIDATE_DENSE

BENCH, TOPIC, REFERENCE = "overall", "all rerankers", "PSAD-S"
MMR = "MMR"
FIXED = (INITIAL, MMR)  # Nothing is drawn.
MEASURED = SPLITS[1:]  # validation and test
STUDENT, GENERATOR = "PSAD-S", "PSAD-G"

# Trials to their folders: `pool.run_all`, or `pool.trial_folders` for what is there.
Runner = Callable[[Sequence[Trial]], Mapping[str, Path]]


def search_all(
    found: Sequence[Method], run: Runner, usual: float, **limits
) -> dict[str, Chosen]:
    """Every method's search.

    Args:
        found: The methods.
        run: Runs trials.
        usual: The learning rate of the data set's preset.
        **limits: See `tuning.searches`.

    Returns:
        Method's name to what was chosen; without those whose trials are not all done.
    """
    trials = {m.name: searches(m, usual, **limits) for m in found}
    folders = run([t for of_method in trials.values() for t in of_method])
    chosen = {}
    for name, of_method in trials.items():
        files = [folders[t.name] / SUMMARY for t in of_method]
        if all(file.exists() for file in files):
            curves = [json.loads(file.read_text())["curves"] for file in files]
            curves = [{k: np.array(v) for k, v in c.items()} for c in curves]
            chosen[name] = choose(of_method, curves)
    return chosen


def finals(
    found: Sequence[Method], chosen: Mapping[str, Chosen], seeds, **limits
) -> list[Trial]:
    """The chosen configurations, to be trained under the seeds that are reported."""
    return [
        chosen[method.name].final(
            name=method.name,
            seeds=tuple(seeds),
            splits=MEASURED,
            decodings=method.decodings,
            is_whole=True,
            **limits,
        )
        for method in found
        if method.name in chosen
    ]


def table(
    bundle: Bundle,
    found: Sequence[Method],
    chosen: Mapping[str, Chosen],
    folders: Mapping[str, Path],
    lambdamart: Mapping[str, np.ndarray],
    seeds: Sequence[int],
) -> tuple[list[Result], dict[str, dict]]:
    """The rows of the table, and what is known of each method.

    Args:
        bundle: The data.
        found: The methods.
        chosen: What their searches found.
        folders: The final trials', by method's name.
        lambdamart: From `peers.lambdamart_rows`; empty leaves it out.
        seeds: Of what is trained.

    Returns:
        One result a row; title to its `learning_rate`, `options`, `configurations`,
        `validation_ndcg`, `parameters`, `knows_history` and `note`.
    """
    rows, known = fixed_rows(bundle)
    if lambdamart:
        rows[LAMBDAMART] = _split(lambdamart, "test", "lambdamart"), {}
        validation = _split(lambdamart, "validation", "lambdamart")["ndcg"]
        known[LAMBDAMART] = {
            "validation_ndcg": float(validation.mean()),
            "knows_history": True,
            "note": "LightGBM; features of item, list, profile and history",
        }
    for method in found:
        folder = folders.get(method.name)
        if folder is None or not (folder / SUMMARY).exists():
            continue
        for title, values, pooled, facts in _rows_of(method, folder):
            rows[title] = values, pooled
            known[title] = facts | _described(chosen[method.name])
    lists = results.lists_of(bundle, "test")
    return [
        Result(
            bench=BENCH,
            dataset=bundle.dataset,
            split="test",
            topic=TOPIC,
            variant=title,
            seeds=() if title in FIXED else tuple(seeds),
            per_list=values,
            per_run=pooled,
            lists=lists,
            reference=REFERENCE,
        )
        for title, (values, pooled) in rows.items()
    ], known


def fixed_rows(bundle: Bundle) -> tuple[dict, dict]:
    """The initial order, and MMR upon its scores: nothing is trained."""
    shape = bundle.label("test").shape
    initial = -np.broadcast_to(np.arange(shape[1], dtype=float), shape)
    rows = {INITIAL: (_one(evaluate(bundle, "test", initial, True)), {})}
    label = bundle.label("validation")
    best, found = tune(*_of_mmr(bundle, "validation"), label)
    scores = scores_of_order(mmr_order(*_of_mmr(bundle, "test"), best))
    rows[MMR] = _one(evaluate(bundle, "test", scores, True)), {}
    known = {
        INITIAL: {"knows_history": False, "note": "the first stage's"},
        MMR: {
            "options": {"trade_off": best},
            "configurations": len(found),
            "validation_ndcg": found[best],
            "knows_history": False,
            "note": "first-stage scores and categories",
        },
    }
    return rows, known


def _of_mmr(bundle, split):
    """Relevance, similarity and validity."""
    columns, is_valid = bundle.splits[split], bundle.is_valid(split)
    numbers = feature_set(bundle.dataset).of_candidates()
    names = [f.name for f in numbers if not f.kind.is_id]
    relevance = columns[CANDIDATE_DENSE][..., names.index(INITIAL_SCORE)]
    similarity = category_similarity(categories(bundle, split))
    return scaled(relevance, is_valid), similarity, is_valid


def _rows_of(method, folder):
    """Title, values, pooled values and facts of each row that a trial makes."""
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    with np.load(folder / PER_LIST) as stored:
        stored = {name: stored[name] for name in stored.files}
    branches = sorted({name.split("/")[1] for name in stored})
    groups = {method.title: branches}
    if method.name == "psad":
        teachers = [b for b in branches if b != "student"]
        groups = {STUDENT: ["student"], GENERATOR: teachers}
    for title, names in groups.items():
        on_validation = {n: stored[f"validation/{n}/ndcg"].mean() for n in names}
        best = max(on_validation, key=on_validation.get)
        pooled = summary["pooled"]
        facts = {
            "validation_ndcg": float(on_validation[best]),
            "parameters": summary["parameters"],
            "knows_history": True,
            "note": f"read out by {best}" if len(names) > 1 else "",
        }
        yield title, _split(stored, "test", best), _split(pooled, "test", best), facts


def _described(chosen):
    return {
        "learning_rate": chosen.learning_rate,
        "options": {**chosen.trial.model, **chosen.trial.options},
        "configurations": chosen.tried,
        "search_ndcg": chosen.ndcg,
    }


def _split(values: Mapping, split: str, branch: str) -> dict:
    """Those of one split and branch, by metric."""
    start = f"{split}/{branch}/"
    return {k.removeprefix(start): v for k, v in values.items() if k.startswith(start)}


def _one(values):
    return {metric: v[None] for metric, v in values.items()}
