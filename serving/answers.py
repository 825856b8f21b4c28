"""From a server's answer to ordered items, trusting nothing."""

from dataclasses import dataclass

import numpy as np

from psad_tf.data.ranking_list import RankingList
from psad_tf.features import ITEM_ID
from serving.errors import RerankError
from serving.tensors import read_tensor


@dataclass(frozen=True)
class Reranked:
    """One list in its new order.

    Args:
        item_ids: The candidates' ids, best first.
        scores: Their scores, in the same order; empty when `is_fallback`.
        order: Their positions in the request, in the same order.
        model_version: The version that answered; None when none did, or when the answer
            does not say.
        is_fallback: Whether this is the initial order, because the server failed.
        reason: Why it is; empty otherwise.
    """

    item_ids: tuple[str, ...]
    scores: tuple[float, ...] = ()
    order: tuple[int, ...] = ()
    model_version: int | None = None
    is_fallback: bool = False
    reason: str = ""


def initial_order(ranking_list: RankingList, reason: str = "") -> Reranked:
    """The list as it came; a fallback when a reason is given."""
    order = tuple(range(len(ranking_list.candidates)))
    ids = tuple(str(c[ITEM_ID]) for c in ranking_list.candidates)
    return Reranked(ids, order=order, is_fallback=bool(reason), reason=reason)


def read_answer(response, lists: list[RankingList]) -> list[Reranked]:
    """What a Predict response says of each list.

    Args:
        response: `PredictResponse` with `scores` float [B, M] and `order` int [B, M],
            positions best first and -1 on padding.
        lists: The B lists that were asked about.

    Raises:
        RerankError: An output is missing or has another shape, a candidate's score is
            not finite, or the order is not one of the list's candidates, each once.
    """
    scores = _output(response, "scores", np.floating, lists)
    order = _output(response, "order", np.integer, lists)
    if scores.shape != order.shape:
        raise RerankError(
            "BAD_ANSWER", f"scores are {scores.shape} and order is {order.shape}"
        )
    spec = response.model_spec
    version = spec.version.value if spec.HasField("version") else None
    rows = zip(lists, scores, order, strict=True)
    return [_read_row(*row, version) for row in rows]


def _output(response, name, kind, lists):
    """One output, checked to be numbers of `kind` that cover every list."""
    if name not in response.outputs:
        raise RerankError(
            "BAD_ANSWER", f"no output {name!r} among {sorted(response.outputs)}"
        )
    try:
        values = read_tensor(response.outputs[name])
    except ValueError as error:
        raise RerankError("BAD_ANSWER", f"output {name!r}: {error}") from error
    longest = max(len(ranking_list.candidates) for ranking_list in lists)
    fits = values.ndim == 2 and len(values) == len(lists) and values.shape[1] >= longest
    if not fits or not np.issubdtype(values.dtype, kind):
        raise RerankError(
            "BAD_ANSWER",
            f"output {name!r} is {values.dtype} of {values.shape} for {len(lists)} "
            f"lists of up to {longest} candidates",
        )
    return values


def _read_row(ranking_list, scores, order, version):
    count = len(ranking_list.candidates)
    if (
        sorted(order[:count].tolist()) != list(range(count))
        or (order[count:] != -1).any()
    ):
        raise RerankError(
            "BAD_ANSWER",
            f"order {order.tolist()} is not a permutation of {count} candidates, "
            "padded with -1",
        )
    order = order[:count]
    if not np.isfinite(scores[:count]).all():
        raise RerankError("BAD_ANSWER", f"scores {scores[:count].tolist()} not finite")
    ids = tuple(str(ranking_list.candidates[i][ITEM_ID]) for i in order)
    ordered_scores = tuple(scores[order].tolist())
    return Reranked(ids, ordered_scores, tuple(order.tolist()), version)
