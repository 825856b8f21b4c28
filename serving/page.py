"""From a reranked list to a page: a shop's rules, applied after the scores.

NumPy alone: no framework is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from psad_tf.baselines.mmr import scaled
from psad_tf.data.ranking_list import RankingList
from psad_tf.features import ITEM_ID
from serving.answers import Reranked
from serving.page_groups import group_of, similarity_of
from serving.page_rules import PageError, PageRules
from serving.page_search import arrange


@dataclass(frozen=True)
class Page:
    """A list as it is shown.

    Args:
        answer: The list in its new order: first the page, then what did not fit on it
            in the order of the scores.
        relaxed: The rules that are broken, each with its place and the reason; empty
            when all hold.
        is_proven: Whether it is certain that no page keeps all rules, where some are
            broken; if not, the search ended before it knew.
    """

    answer: Reranked
    relaxed: tuple[str, ...] = ()
    is_proven: bool = True


def lay_out(answer: Reranked, ranking_list: RankingList, rules: PageRules) -> Page:
    """Applies rules to an answer; a fallback's initial order counts as its scores do.

    Args:
        answer: What the client gave for the list.
        ranking_list: The list that was asked about.
        rules: What to keep.

    Raises:
        PageError: A rule cannot be kept, and the rules are strict.
        ValueError: The answer is not of this list, or a candidate lacks a feature that
            a rule is about.
    """
    candidates = [ranking_list.candidates[i] for i in _checked(answer, ranking_list)]
    length = min(rules.length or len(candidates), len(candidates))
    pins, relaxed = _pinned(rules, answer.item_ids, length)
    groups = [group_of(rule, candidates) for rule in rules.at_most]
    diversity, similarity = rules.diversity, None
    if diversity:
        similarity = similarity_of(diversity, candidates)
    found = arrange(
        _relevance(answer),
        groups,
        pins,
        length,
        similarity,
        diversity.weight if diversity else 0.0,
        rules.effort,
    )
    why = (
        "no order of these candidates keeps all rules"
        if found.is_proven
        else f"no order that keeps all rules was found in {rules.effort} steps"
    )
    relaxed += [
        f"place {b.place + 1}: {b.group.title}, but there are more of {b.value!r}; "
        f"{why}"
        for b in found.broken
    ]
    if rules.strict and relaxed:
        raise PageError(
            f"{relaxed[0]} ({len(relaxed)} in all); ask for less, send more "
            "candidates, or let strict be False"
        )
    rest = sorted(set(range(len(candidates))) - set(found.order))
    in_order = _in_order(answer, [*found.order, *rest])
    return Page(in_order, tuple(relaxed), found.is_proven or not found.broken)


def _checked(answer, ranking_list):
    """The answer's order, which names the list's candidates."""
    ids = tuple(str(one[ITEM_ID]) for one in ranking_list.candidates)
    is_order = sorted(answer.order) == list(range(len(ids)))
    if not is_order or tuple(ids[i] for i in answer.order) != answer.item_ids:
        raise ValueError(
            f"the answer's items {answer.item_ids} are not those of the list, {ids}; "
            "give the list that was asked about"
        )
    return answer.order


def _relevance(answer) -> np.ndarray:
    """From 0 to 1, in the order of the answer: the scale of likeness."""
    count = len(answer.item_ids)
    scores = np.array(answer.scores or range(count, 0, -1), float)
    if not np.isfinite(scores).all():
        raise ValueError(f"scores {scores.tolist()} are not finite; they have no order")
    return scaled(scores[None], np.ones((1, count), bool))[0] if count else scores


def _pinned(rules, item_ids, length) -> tuple[Mapping[int, int], list[str]]:
    """Place, from 0, to position in the answer; and the pins that cannot be kept."""
    pins, lost = {}, []
    for place, item_id in rules.pins.items():
        if item_id not in item_ids:
            lost.append(f"place {place}: {item_id!r} is pinned, but is no candidate")
        elif place > length:
            lost.append(
                f"place {place}: {item_id!r} is pinned, but there are {length} places"
            )
        else:
            pins[place - 1] = item_ids.index(item_id)
    return pins, lost


def _in_order(answer, positions) -> Reranked:
    return replace(
        answer,
        item_ids=tuple(answer.item_ids[i] for i in positions),
        scores=tuple(answer.scores[i] for i in positions) if answer.scores else (),
        order=tuple(answer.order[i] for i in positions),
    )
