"""A few users' lists before and after, chosen by a rule and not by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.data.ranking_list import RankingList
from psad_tf.features import ITEM_ID, REQUEST_ID
from tfx_pipeline.report.results import HEADLINE, INITIAL, SERVED, TestResults

MIN_CANDIDATES = 8
QUANTILES = (0.25, 0.5, 0.75)
SHOWN_HISTORY = 5
RULE = (
    f"Of the test lists with at least {MIN_CANDIDATES} candidates, the ones at the "
    "25th, 50th and 75th percentile of the change in NDCG@10; equal changes are "
    f"ordered by {REQUEST_ID}."
)


@dataclass(frozen=True)
class Place:
    """One place of a list, before and after.

    Args:
        number: The place, from 1.
        before: Title of the item that the initial order puts there.
        before_clicked: Whether it was clicked.
        after: Title of the item that the served order puts there.
        after_clicked: Whether it was clicked.
        moved: How many places that item rose (positive) or fell.
    """

    number: int
    before: str
    before_clicked: bool
    after: str
    after_clicked: bool
    moved: int


@dataclass(frozen=True)
class ShownList:
    """One list as people see it.

    Args:
        request_id: The list.
        quantile: Where its change stands among the lists that could be chosen.
        before: NDCG@10 of the initial order.
        after: NDCG@10 of the served order.
        history: Titles of the latest past items, newest first.
        past_items: How many past items the list has.
        places: The list, place by place.
    """

    request_id: str
    quantile: float
    before: float
    after: float
    history: tuple[str, ...]
    past_items: int
    places: tuple[Place, ...]


def choose_lists(results: TestResults, titles: Mapping[str, str]) -> list[ShownList]:
    """The lists that `RULE` names; fewer where too few lists are long enough.

    Args:
        results: The measured test lists.
        titles: Item id to title; an item without one shows its id.
    """
    values = results.values[HEADLINE]
    before, after = values[INITIAL], values[SERVED]
    long_enough = [
        i for i, x in enumerate(results.lists) if len(x.candidates) >= MIN_CANDIDATES
    ]
    # Rounded, so that a difference in the last bit does not decide over a tie.
    ranked = sorted(
        long_enough,
        key=lambda i: (round(after[i] - before[i], 9), results.lists[i].request_id),
    )
    chosen = {}
    for quantile in QUANTILES if ranked else ():
        chosen.setdefault(ranked[round(quantile * (len(ranked) - 1))], quantile)
    return [
        _shown(
            results.lists[i], results.order[i], quantile, before[i], after[i], titles
        )
        for i, quantile in chosen.items()
    ]


def _shown(
    ranking_list: RankingList,
    order: np.ndarray,
    quantile: float,
    before: float,
    after: float,
    titles: Mapping[str, str],
) -> ShownList:
    def title(item) -> str:
        return titles.get(item[ITEM_ID], item[ITEM_ID])

    candidates, labels = ranking_list.candidates, ranking_list.labels
    latest = ranking_list.history[::-1][:SHOWN_HISTORY]
    return ShownList(
        ranking_list.request_id,
        quantile,
        float(before),
        float(after),
        tuple(title(item) for item in latest),
        len(ranking_list.history),
        tuple(
            Place(
                place + 1,
                title(candidates[place]),
                labels[place] > 0,
                title(candidates[item]),
                labels[item] > 0,
                int(item) - place,
            )
            for place, item in enumerate(order[: len(candidates)])
        ),
    )


def as_text(lists: Sequence[ShownList], width: int = 36) -> str:
    """The lists for a terminal; `*` marks a click, titles are cut at `width`."""
    blocks = [RULE]
    for shown in lists:
        head = (
            f"{shown.request_id} ({100 * shown.quantile:.0f}th percentile): NDCG@10 "
            f"{shown.before:.4f} -> {shown.after:.4f}, {shown.past_items} past items"
        )
        lines = [head, f"last items: {'; '.join(shown.history) or 'none yet'}"]
        lines.append(f" #   {'initial order':{width}}   reranked")
        for p in shown.places:
            before, after = (_cut(t, width) for t in (p.before, p.after))
            move = f"{p.moved:+d}" if p.moved else "="
            lines.append(
                f"{p.number:2} {'*' if p.before_clicked else ' '} {before:{width}} "
                f"{'*' if p.after_clicked else ' '} {after:{width}} {move:>3}"
            )
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _cut(title: str, width: int) -> str:
    return title if len(title) <= width else title[: width - 1] + "…"
