"""What is said about the lists of a click world: assumptions, counts and true worth.

Counts are whole numbers, expected clicks too (in millionths), so that their sums do
not depend on who adds them in which order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from psad_tf.data.click_world.clicks import utility, utility_of_order
from psad_tf.data.click_world.lists import fates
from psad_tf.data.click_world.logs import UserLog
from psad_tf.data.click_world.orders import MOST_FOR_ALL_ORDERS, beam_order, best_order
from psad_tf.data.click_world.world import World
from psad_tf.data.windows import SPLITS

_MILLION = 10**6
ORDERS = ("logged", "by_initial_score", "by_true_relevance", "best_found")
ASSUMPTIONS = (
    "Users, items and clicks are made up; no figure here is about real people.",
    "Examination falls with the place as k^-eta and depends on the likeness to the "
    "last item clicked above; an examined item is clicked with the probability of its "
    "relevance (URCC's click model, arXiv 2110.09059).",
    "Relevance depends on the user's interest at the moment, the price and the item's "
    "quality; not on place, neighbours or what the user clicked before.",
    "Interests drift, and each visit has a passing one; the younger the user, the "
    "stronger it is.",
    "The first stage knows long-term interest with an error, and popularity; it is "
    "wrong about single items and single candidates, and knows no visit and no price.",
    "Lists are shown by the first stage's score, but for a share that is shown in an "
    "order drawn at random.",
    "Lists without any click, or clicked throughout, are counted and not stored.",
)


def count_lists(logs: Sequence[UserLog], world: World) -> Counter[str]:
    """The counts of some users' lists.

    Returns:
        Name to number: `lists/<fate>`; of stored lists `clicks/<split>`,
        `explored/<split>`, `shown/<place>` and `clicked/<place>`; of test lists
        `cold/<why>` and `utility/<order>`, the latter in millionths of a click.
    """
    counts = Counter()
    tests = []
    for log in logs:
        names = np.array(fates(log, world), object)
        counts.update(f"lists/{name}" for name in names)
        for split in SPLITS:
            chosen = np.flatnonzero(names == split)
            counts += _of_split(split, log, chosen)
        chosen = np.flatnonzero(names == "test")
        counts += _cold(log, chosen, world)
        tests.append((log, chosen))
    items = np.concatenate([log.items[chosen] for log, chosen in tests])
    scores = np.concatenate([log.scores[chosen] for log, chosen in tests])
    relevance = np.concatenate([log.relevance[chosen] for log, chosen in tests])
    worth = worth_of_orders(items, scores, relevance, world)
    for name, values in worth.items():
        counts[f"utility/{name}"] = int(np.round(values * _MILLION).sum())
    return counts


def _of_split(split: str, log: UserLog, chosen: np.ndarray) -> Counter[str]:
    clicks = log.clicks[chosen]
    counts = Counter(
        {
            f"clicks/{split}": int(clicks.sum()),
            f"explored/{split}": int(log.explored[chosen].sum()),
        }
    )
    for place, clicked in enumerate(clicks.sum(axis=0).tolist(), 1):
        counts[f"shown/{place}"] = len(clicks)
        counts[f"clicked/{place}"] = clicked
    return counts


def _cold(log: UserLog, chosen: np.ndarray, world: World) -> Counter[str]:
    """Of test lists: first ones, those without history, those with unseen items."""
    clicked_before = np.cumsum(log.clicks.sum(axis=1)) - log.clicks.sum(axis=1)
    _, train_end, _ = world.config.cuts
    is_new_user = len(chosen) > 0 and log.times[0] > train_end
    is_new_item = world.items.release[log.items[chosen]] > train_end
    return Counter(
        {
            "cold/first_list": int((chosen == 0).sum()),
            "cold/empty_history": int((clicked_before[chosen] == 0).sum()),
            "cold/new_user": len(chosen) if is_new_user else 0,
            "cold/new_item": int(is_new_item.any(axis=1).sum()),
        }
    )


def worth_of_orders(
    items: np.ndarray, scores: np.ndarray, relevance: np.ndarray, world: World
) -> dict[str, np.ndarray]:
    """The expected clicks on lists under each of `ORDERS`.

    Args:
        items: `[lists, list]` indices in the logged order.
        scores: `[lists, list]` of the first stage.
        relevance: `[lists, list]` true ones.
        world: The world.

    Returns:
        Name of the order to `[lists]` expected clicks; `best_found` is the best one of
        all orders of a short list, else the best that beam search finds.
    """
    vectors, eta = world.click_vectors(items), world.config.eta
    is_valid = np.ones(items.shape, bool)
    lists = relevance, vectors, is_valid, eta
    is_short = items.shape[1] <= MOST_FOR_ALL_ORDERS
    search = best_order if is_short else beam_order
    sortings = [np.argsort(-key, axis=1, kind="stable") for key in (scores, relevance)]
    worth = [utility_of_order(*lists, order) for order in sortings]
    return dict(zip(ORDERS, (utility(*lists), *worth, search(*lists)[1]), strict=True))


def summarise(counts: Mapping[str, int], world: World) -> dict:
    """The summary of all lists, from the sum of all `count_lists`."""
    numbers = Counter(counts)
    places = range(1, world.config.list_length + 1)
    tests = max(1, numbers["lists/test"])
    stored = max(1, sum(numbers[f"lists/{split}"] for split in SPLITS))
    clicks = sum(numbers[f"clicks/{split}"] for split in SPLITS)
    explored = sum(numbers[f"explored/{split}"] for split in SPLITS)
    is_short = world.config.list_length <= MOST_FOR_ALL_ORDERS
    return {
        "assumptions": list(ASSUMPTIONS),
        "world": asdict(world.config),
        "lists": _of_kind(numbers, "lists"),
        "clicks_per_list": round(clicks / stored, 6),
        "explored_share": round(explored / stored, 6),
        "click_rate_by_place": [
            round(numbers[f"clicked/{k}"] / max(1, numbers[f"shown/{k}"]), 6)
            for k in places
        ],
        "cold_test_lists": _of_kind(numbers, "cold"),
        "true_utility_of_test_lists": {
            name: round(numbers[f"utility/{name}"] / _MILLION / tests, 6)
            for name in ORDERS
        },
        "best_found_by": "trial of all orders" if is_short else "beam search",
    }


def _of_kind(counts: Mapping[str, int], kind: str) -> dict[str, int]:
    return {
        name.removeprefix(f"{kind}/"): number
        for name, number in sorted(counts.items())
        if name.startswith(f"{kind}/")
    }
