"""The best order that keeps a page's rules, or breaks them where it must.

The search goes down the page. At each place it takes the item worth most of those that
break no rule there, and goes back where nothing is left: what it finds is the best
order of all that keep the rules, the first place before the second, and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from psad_tf.baselines.mmr import marginal_worth
from serving.page_groups import Group


@dataclass(frozen=True)
class Broken:
    """A rule that an item breaks.

    Args:
        place: From 0.
        group: The rule.
        value: The value it has too many of.
    """

    place: int
    group: Group
    value: str


@dataclass(frozen=True)
class Arranged:
    """An order.

    Args:
        order: The items on the page, from the top.
        broken: The rules that it breaks; none if it keeps them all.
        is_proven: Whether no order keeps them all, where some are broken.
    """

    order: list[int]
    broken: list[Broken]
    is_proven: bool = True


def arrange(
    relevance: np.ndarray,
    groups: Sequence[Group],
    pins: Mapping[int, int],
    length: int,
    similarity: np.ndarray | None = None,
    weight: float = 0.0,
    effort: int = 500,
) -> Arranged:
    """Lays a page out.

    Args:
        relevance: float `[items]`, higher is better; ties keep the given order.
        groups: The limits.
        pins: Place, from 0, to item.
        length: Places of the page, at most as many as there are items.
        similarity: float `[items, items]`, for diversity.
        weight: Of diversity, 0..1.
        effort: The most steps of the search.
    """
    board = _Board(relevance, groups, pins, length, similarity, weight)
    deepest, steps, waiting = [], 0, [board.choices()]
    while waiting:
        if len(board.order) == length:
            return Arranged(board.order, board.broken)
        if len(board.order) > len(deepest):
            deepest = list(board.order)
        if not waiting[-1]:
            waiting.pop()
            if board.order:
                board.take_back()
            continue
        if steps == effort:
            break
        steps += 1
        board.put(waiting[-1].pop(0))
        waiting.append(board.choices())
    is_proven = not waiting
    board = _Board(relevance, groups, pins, length, similarity, weight)
    for item in deepest:
        board.put(item)
    while len(board.order) < length:
        board.put((board.choices() or board.least_bad())[0])
    return Arranged(board.order, board.broken, is_proven)


class _Board:
    """A page that fills from the top; pinned items stand on it from the start."""

    def __init__(self, relevance, groups, pins, length, similarity, weight):
        self.relevance, self.similarity = relevance, similarity
        self.groups, self.pins, self.weight = groups, pins, weight
        self.length, self.order = length, []
        self.is_left = np.ones(len(relevance), bool)
        self.is_left[list(pins.values())] = False
        self.counts = [np.zeros((len(g.values), length), int) for g in groups]
        for place, item in pins.items():
            self._mark(place, item, 1)

    @property
    def broken(self) -> list[Broken]:
        """Every rule that the items break, at the place where each was put."""
        found = []
        seen = [np.zeros_like(counts) for counts in self.counts]
        for place, item in enumerate(self.order):
            for group, counts in zip(self.groups, seen, strict=True):
                counts[group.has[item], place] = 1
                over = group.fullest(counts, place) > group.count
                for value in np.flatnonzero(over & group.has[item]):
                    found.append(Broken(place, group, group.values[value]))
        return found

    def choices(self) -> list[int]:
        """What may stand in the next place, best first."""
        place = len(self.order)
        if place == self.length:
            return []
        if place in self.pins:
            return [self.pins[place]]
        is_allowed = self.is_left.copy()
        for group, counts in zip(self.groups, self.counts, strict=True):
            is_allowed &= ~group.has[:, group.blocked(counts, place)].any(axis=1)
            if not self._can_fill(group, place):
                return []
        return self._best_first(is_allowed)

    def least_bad(self) -> list[int]:
        """What is left, from what breaks the fewest rules by the least."""
        place, excess = len(self.order), np.zeros(len(self.relevance), int)
        for group, counts in zip(self.groups, self.counts, strict=True):
            over = np.maximum(group.fullest(counts, place) - group.count + 1, 0)
            excess += group.has @ over
        found = self._best_first(self.is_left)
        return sorted(found, key=lambda item: excess[item])

    def put(self, item: int) -> None:
        """Fills the next place."""
        place = len(self.order)
        if place not in self.pins:
            self._mark(place, item, 1)
        self.is_left[item] = False
        self.order.append(item)

    def take_back(self) -> None:
        """Empties the last place that was filled."""
        item, place = self.order.pop(), len(self.order)
        if place not in self.pins:
            self._mark(place, item, 0)
            self.is_left[item] = True

    def _mark(self, place, item, value):
        for group, counts in zip(self.groups, self.counts, strict=True):
            counts[group.has[item], place] = value

    def _best_first(self, is_allowed):
        (items,) = np.nonzero(is_allowed)
        worth = self.relevance[items]
        if self.similarity is not None:
            above = self.similarity[np.ix_(items, self.order)]
            nearest = above.max(axis=1) if self.order else np.zeros(len(items))
            worth = marginal_worth(worth, nearest, 1 - self.weight)
        return items[np.argsort(-worth, kind="stable")].tolist()

    def _can_fill(self, group, place) -> bool:
        """Whether there may be items enough, each counted under its first value."""
        places = self.length - place
        needed = places - sum(pinned >= place for pinned in self.pins)
        has = group.has[self.is_left]
        is_bound = has.any(axis=1)
        if not is_bound.any():
            return len(has) >= needed
        first = np.bincount(has[is_bound].argmax(axis=1))
        most = np.minimum(first, group.most_in(places)).sum()
        return most + (~is_bound).sum() >= needed
