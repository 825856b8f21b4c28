"""Asks a real model server and holds its answers against those of this process."""

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from psad_tf.data.examples import encode_list
from psad_tf.data.ranking_list import RankingList
from psad_tf.export_report import REPORT_FILE
from psad_tf.features import FeatureSet
from psad_tf.serving_config import serving_config
from serving.answers import Reranked
from serving.client import RerankClient
from serving.errors import RerankError
from serving.launch import BINARY, ServerError, running_server
from tfx_pipeline.gate.check import (
    AT_LEAST,
    AT_MOST,
    VALUE,
    Check,
    Demand,
    configured,
)
from tfx_pipeline.gate.config import GateConfig
from tfx_pipeline.gate.record import as_record
from tfx_pipeline.gate.signature import ModelFault, Signature

# Another batch size adds up in another order; the fewer digits, the more it shows.
TOLERANCES = {"float32": 1e-4, "float16": 1e-3, "int8": 1e-3, "bfloat16": 5e-2}
TIMES = 3
SECONDS = 30.0  # after which an answer counts as none


@dataclass
class Found:
    """What a server did.

    Args:
        scores: Signature to the largest difference from a score of this process.
        padding: The largest change of a score when longer lists come beside.
        order: The same when the candidates of a list move.
        milliseconds: Of each list and signature, the fastest of some calls.
    """

    scores: dict[str, float] = field(default_factory=dict)
    padding: float = 0.0
    order: float = 0.0
    milliseconds: list[float] = field(default_factory=list)


def check_served(
    model: Path, lists: Sequence[RankingList], features: FeatureSet, gate: GateConfig
) -> dict[str, Any]:
    """Serves a model and asks it some lists through every signature.

    Args:
        model: The SavedModel.
        lists: What to ask.
        features: The data set's features.
        gate: The bounds.

    Returns:
        A gate's record (`passed`, `checks`) with `lists`, `server`, `tolerance`, the
        `reason` in words and, by signature, the largest difference of a score.
    """
    exported = json.loads((model / REPORT_FILE).read_text())["serving"]
    tolerance = gate.serving_tolerance or TOLERANCES[exported["precision"]]
    signatures = serving_config(exported).signatures()
    about = {"lists": len(lists), "tolerance": tolerance, "server": _server()}
    try:
        expected = _in_process(model, lists, features)
        found = _ask(model, signatures, lists, features, expected)
    except (ModelFault, RerankError, ServerError) as error:
        return as_record([_no_answer(str(error))], **about, reason=str(error))
    checks = _checks(found, _reads_order(model), tolerance, gate)
    failed = [c.finding for c in checks if c.passed is False]
    reason = "; ".join(failed) or "every answer agrees"
    return as_record(checks, **about, **found.scores, reason=reason)


def _server() -> str:
    return BINARY if shutil.which(BINARY) else "the embedded server"


def _in_process(model: Path, lists, features: FeatureSet) -> list[np.ndarray]:
    requests = [replace(x, labels=None, truth=None) for x in lists]
    scores = Signature(model)([encode_list(x, features) for x in requests])
    return [row[: len(x.candidates)] for row, x in zip(scores, lists, strict=True)]


def _ask(model, signatures, lists, features, expected) -> Found:
    found = Found()
    with tempfile.TemporaryDirectory() as store:
        shutil.copytree(model, Path(store) / "1")
        with running_server(store, features=features) as target:
            for signature in signatures:
                client = RerankClient(
                    target, features, signature=signature, timeout=SECONDS
                )
                with client:
                    _ask_signature(client, signature, lists, expected, found)
    return found


def _ask_signature(client, signature, lists, expected, found: Found) -> None:
    alone = [_timed(client, x, found) for x in lists]
    found.scores[signature] = _largest(alone, expected)
    together = [by_place(x) for x in client.rerank_batch(lists)]
    found.padding = max(found.padding, _largest(together, alone))
    moved = [by_place(client.rerank(_turned(x)))[::-1] for x in lists]
    found.order = max(found.order, _largest(moved, alone))


def _timed(client, ranking_list: RankingList, found: Found) -> np.ndarray:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = client.rerank(ranking_list)
        times.append(1000 * (time.perf_counter() - began))
    found.milliseconds.append(min(times))
    return by_place(answer)


def by_place(answer: Reranked) -> np.ndarray:
    """The scores in the order of the request's candidates."""
    scores = np.full(len(answer.order), np.nan)
    scores[list(answer.order)] = answer.scores
    return scores


def _turned(ranking_list: RankingList) -> RankingList:
    """The same list with its candidates the other way round."""
    return replace(
        ranking_list, candidates=ranking_list.candidates[::-1], labels=None, truth=None
    )


def _largest(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> float:
    """Over all candidates of all lists; what is no number counts as infinite."""
    differences = [
        np.abs(a - b).max() for a, b in zip(found, expected, strict=True) if len(a)
    ]
    return float(np.nan_to_num(max(differences), nan=np.inf))


def _reads_order(model: Path) -> str:
    """Why the order of candidates may count; empty where it must not."""
    described = json.loads((model / "assets.extra" / "psad.json").read_text())
    kind = described.get("model", {}).get("candidates", "unknown")
    return "" if kind == "set" else f"the model reads the initial order ({kind})"


def _checks(found: Found, reads_order: str, tolerance: float, gate) -> list[Check]:
    agree = "find out which of the two is wrong before anything is served"
    demands = {
        name: replace(
            configured(gate, "serving_tolerance", name, AT_MOST, VALUE, agree),
            bound=tolerance,
        )
        for name in ("served_scores", "served_padding", "served_order")
    }
    latency = configured(
        gate,
        "max_served_latency_ms",
        "served_latency",
        AT_MOST,
        VALUE,
        "a smaller model, list_buckets, or a faster machine; see docs/serving.md",
    )
    moved = demands["served_order"]
    return [
        demands["served_scores"].check(max(found.scores.values())),
        demands["served_padding"].check(found.padding),
        moved.skipped(reads_order) if reads_order else moved.check(found.order),
        latency.check(float(np.percentile(found.milliseconds, 99))),
    ]


def _no_answer(error: str) -> Check:
    reason = "What does not answer before a push does not answer after it."
    remedy = "read the server's words, mend the export, and run again"
    demand = Demand("served", 1.0, reason, AT_LEAST, VALUE, remedy)
    return replace(demand.check(0.0), finding=f"the model server failed: {error}")
