"""How good: PSAD next to its peers on test lists."""

import os
from pathlib import Path

import numpy as np

from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, Bundle
from psad_tf.bench.evaluate import CUT, evaluate, utility
from psad_tf.bench.plans import DECODINGS
from psad_tf.bench.pool import key
from psad_tf.bench.trial import Decoding, Trial
from psad_tf.bench.tuning import SEED
from psad_tf.data.click_world.orders import MOST_FOR_ALL_ORDERS, beam_order, best_order

INITIAL, BEST, LAMBDAMART = "initial order", "best order", "LambdaMART"
_WIDE = Decoding("prm_wide", 32, "clicks")
_ALL_ORDERS = (
    Decoding(),
    Decoding("prm_dcg", 8, "dcg"),
    Decoding("prm_clicks", 8, "clicks"),
    Decoding("prm_wide", 64, "clicks"),
)
# Trial to the names of the rows its branches make.
ROWS = {
    "psad": {
        "student": "PSAD-S",
        "teacher": "PSAD-G, greedy",
        "beam": "PSAD-G, beam of 4",
        "prm_dcg": "PSAD-G, beam, PRM by discounted clicks",
        "prm_clicks": "PSAD-G, beam, PRM by clicks",
        "prm_wide": "PSAD-G, wide beam, PRM by clicks",
    },
    "psad_set": {"student": "PSAD-S, initial order not seen"},
    "psad_undistilled": {"student": "scorer, not distilled, shared encoder"},
    "scorer": {"student": "scorer without a teacher"},
    "prm": {"PRM": "PRM, softmax"},
    "prm_bce": {"PRM": "PRM, cross-entropy"},
    "prm_profile": {"PRM": "PRM without the history"},
}


def trials(bundle: Bundle, seeds) -> list[Trial]:
    """The models that are compared, measured on validation and test lists.

    Args:
        bundle: The data.
        seeds: Of each model.
    """
    both = {"seeds": tuple(seeds), "splits": ("validation", "test")}
    decodings, of_set = DECODINGS, (Decoding(), Decoding("prm_clicks", 16, "clicks"))
    if bundle.is_simulated:
        decodings = (*DECODINGS, _WIDE)
    if bundle.sizes["list_length"] <= MOST_FOR_ALL_ORDERS:
        decodings = of_set = _ALL_ORDERS
    as_set = {"model": {"candidates": "set"}, "decodings": of_set}
    return [
        Trial("psad", decodings=decodings, **both),
        Trial("psad_set", **as_set, **both),
        Trial("psad_undistilled", model={"distillation_weight": 0}, **both),
        Trial("scorer", "scorer", **both),
        Trial("prm", "prm", **both),
        Trial("prm_bce", "prm", options={"loss": "bce"}, **both),
        Trial("prm_profile", "prm", options={"history": False}, **both),
    ]


def fixed_rows(bundle: Bundle, split: str) -> dict[str, dict[str, np.ndarray]]:
    """What needs no training: the initial order; in a simulated world the best one.

    Returns:
        Row to metric to float32 `[1, lists]`.
    """
    shape = bundle.label(split).shape
    initial = -np.broadcast_to(np.arange(shape[1], dtype=float), shape)
    rows = {INITIAL: evaluate(bundle, split, initial)}
    if bundle.is_simulated:
        rows[BEST] = {"utility": best_utility(bundle, split)}
    return {
        row: {metric: values[None] for metric, values in found.items()}
        for row, found in rows.items()
    }


def best_utility(bundle: Bundle, split: str) -> np.ndarray:
    """Expected clicks of the best order: of all, or of those a beam search finds.

    Args:
        bundle: A simulated world's data.
        split: Which lists.

    Returns:
        float32 `[lists]`.
    """
    columns, is_valid = bundle.splits[split], bundle.is_valid(split)
    vectors = bundle.vectors[columns[ITEM_INDEX]]
    search = best_order if is_valid.shape[1] <= MOST_FOR_ALL_ORDERS else beam_order
    order, _ = search(columns[RELEVANCE], vectors, is_valid, bundle.eta)
    return utility(bundle, split, order[:, :CUT]).astype(np.float32)


def lambdamart_rows(
    bundle: Bundle,
    splits,
    seeds,
    configurations: int,
    folder: Path,
    is_run: bool,
) -> dict[str, np.ndarray]:
    """LambdaMART, tuned once on validation lists, then trained under each seed.

    What was found lies in a file that is named for the data, the seeds and the budget.

    Args:
        bundle: The data.
        splits: What is measured.
        seeds: Of the trees; the search has `SEED`, as all searches.
        configurations: The budget of the search.
        folder: Where the file lies.
        is_run: Whether to train where there is no file yet.

    Returns:
        `split/lambdamart/metric` to float32 `[seeds, lists]`; empty if there is none.
    """
    budget = [configurations, SEED]
    known = key(bundle.fingerprint, list(splits), list(seeds), budget)
    file = folder / f"lambdamart-{known}.npz"
    if not file.exists():
        if not is_run:
            return {}
        from psad_tf.baselines.lambdamart import train
        from psad_tf.feature_sets import feature_set

        found: dict[str, list] = {}
        features = feature_set(bundle.dataset)
        slate = min(CUT, bundle.sizes["list_length"])
        sizes, threads = {**bundle.sizes, "slate_length": slate}, os.cpu_count()
        given = (sizes, features, bundle.splits)
        tuned = train(*given, SEED, configurations, threads)
        for seed in seeds:
            model = train(*given, seed, threads=threads, values=tuned.chosen.values)
            for split in splits:
                scores = model.scores(bundle.splits[split])
                rows = evaluate(bundle, split, scores, is_whole=True)
                for metric, values in rows.items():
                    found.setdefault(f"{split}/lambdamart/{metric}", []).append(values)
        folder.mkdir(parents=True, exist_ok=True)
        # Under its name once whole, so that one that was broken off is made anew.
        partial = file.with_suffix(".partial.npz")
        np.savez_compressed(partial, **{k: np.stack(v) for k, v in found.items()})
        partial.rename(file)
    with np.load(file) as stored:
        return {name: stored[name] for name in stored.files}
