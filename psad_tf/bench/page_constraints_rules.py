"""The rules of a page that a data set's features allow, and what they are about."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from psad_tf import tensors
from psad_tf.bench.bundle import Bundle
from psad_tf.feature_sets import feature_set
from psad_tf.features import ITEM_ID, VALUE_SEPARATOR
from serving.page_rules import AtMost, Diversity, PageRules, PriceTiers

NO_RULE, PLACES = "no rule", 10
# The features that rules are about, where a data set has them.
_LIMITED, _PRICE = ("brand", "year"), "log_price"
_SEED = 0  # of the items that are pinned

# The number of a list and its candidates to the rules of its page.
Rules = Callable[[int, Sequence[Mapping[str, Any]]], PageRules]


def rules_of(dataset: str) -> dict[str, Rules]:
    """The rules that are tried on a data set, by name.

    Each is one that shops ask for, over a page of `PLACES`; the last has all of them.
    """
    features = feature_set(dataset)
    names = {f.name for f in features.of_candidates()}
    limited = [features.category, *(n for n in _LIMITED if n in names)]
    limits = [AtMost(name, count, 5) for name in limited for count in (2, 1)]
    if _PRICE in names:
        limits.append(PriceTiers(_PRICE, 2, 4))
    diversities = [Diversity(features.category, w) for w in (0.1, 0.3, 0.5)]
    gentle = tuple(limit for limit in limits if limit.count == 2)

    def fixed(**rules):
        made = PageRules(length=PLACES, **rules)
        return lambda number, candidates: made

    def pinned(place, **rules):
        def draw(number, candidates):
            random = np.random.default_rng((_SEED, number))
            item = candidates[random.integers(len(candidates))][ITEM_ID]
            at = min(place, len(candidates))
            return PageRules(length=PLACES, pins={at: item}, **rules)

        return draw

    found = {NO_RULE: fixed()}
    found |= {limit.title: fixed(at_most=(limit,)) for limit in limits}
    found |= {
        f"any item pinned to place {place}": pinned(place) for place in (1, 3, 10)
    }
    found |= {f"MMR, weight {d.weight}": fixed(diversity=d) for d in diversities}
    together = pinned(3, at_most=gentle, diversity=diversities[0])
    return found | {"limits of 2, place 3 pinned, MMR 0.1": together}


def candidates_of(bundle: Bundle) -> list[list[dict[str, Any]]]:
    """Each test list's candidates with the features that rules are about.

    A bundle has ids for names; an item's own id is its place in the list.
    """
    features, ids = feature_set(bundle.dataset), bundle.splits["test"]
    fields = [f.name for f in features.item if f.kind.is_id]
    numbers = [f.name for f in features.of_candidates() if not f.kind.is_id]
    ends = np.cumsum(bundle.sizes["item_widths"])
    columns = {
        name: np.split(ids[tensors.CANDIDATE_IDS], ends[:-1], axis=2)[at]
        for at, name in enumerate(fields)
        if name in (features.category, *_LIMITED)
    }
    if _PRICE in numbers:
        prices = ids[tensors.CANDIDATE_DENSE][..., numbers.index(_PRICE)]
    found = []
    for row, is_valid in enumerate(bundle.is_valid("test")):
        found.append([{ITEM_ID: str(i)} for i in np.flatnonzero(is_valid)])
        for place, one in zip(np.flatnonzero(is_valid), found[-1], strict=True):
            for name, of in columns.items():
                values = (str(value) for value in of[row, place] if value)
                one[name] = VALUE_SEPARATOR.join(values)
            if _PRICE in numbers:
                one[_PRICE] = float(prices[row, place])
    return found
