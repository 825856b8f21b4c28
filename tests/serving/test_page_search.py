"""The search against every order there is."""

import itertools

import numpy as np
import pytest

from psad_tf.baselines.mmr import mmr_order
from serving.page_groups import Group
from serving.page_search import arrange


def group(values, count, window):
    """A limit over items that have one value each, "" for none."""
    names = sorted({v for v in values if v})
    has = np.array([[value == name for name in names] for value in values], bool)
    return Group("a limit", names, has.reshape(len(values), len(names)), count, window)


def keeps(order, groups):
    """Whether no window of consecutive places has too many of any value."""
    for one in groups:
        for first in range(len(order)):
            window = order[first : first + one.window]
            for value in range(len(one.values)):
                if sum(one.has[item, value] for item in window) > one.count:
                    return False
    return True


def best_of_all(relevance, groups, pins, length):
    """The first of all orders that keep the rules, sorted by worth from the top."""
    items = range(len(relevance))
    found = [
        order
        for order in itertools.permutations(items, length)
        if all(order[place] == item for place, item in pins.items())
        and keeps(order, groups)
    ]
    return max(found, key=lambda order: [relevance[i] for i in order], default=None)


def drawn(seed):
    """A list of up to seven items with two limits and perhaps a pin."""
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 8))
    length = int(random.integers(1, min(count, 5) + 1))
    groups = []
    for _ in range(2):
        window = int(random.integers(2, 5))
        values = random.choice(["a", "b", "c", ""], count, p=[0.5, 0.2, 0.2, 0.1])
        groups.append(group(values, int(random.integers(1, window)), window))
    pins = {}
    if random.random() < 0.5:
        pins = {int(random.integers(length)): int(random.integers(count))}
    return random.permutation(count).astype(float), groups, pins, length


@pytest.mark.parametrize("seed", range(0, 400, 40))
def test_it_finds_the_best_order_of_all_that_keep_the_rules(seed):
    kept = 0
    for one in range(seed, seed + 40):
        relevance, groups, pins, length = drawn(one)
        best = best_of_all(relevance, groups, pins, length)
        found = arrange(relevance, groups, pins, length, effort=10**6)
        assert len(set(found.order)) == length
        assert all(found.order[place] == item for place, item in pins.items())
        assert (not found.broken) == keeps(found.order, groups) == (best is not None)
        if best is not None:
            assert found.order == list(best)
            kept += 1
        else:
            assert found.is_proven
    assert 10 < kept < 40  # both ends were seen


def test_it_goes_back_where_the_best_first_items_leave_no_way_on():
    # b and c are best, but then the three a would stand side by side.
    relevance = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    of = group("bcaaa", count=1, window=2)
    found = arrange(relevance, [of], {}, 5)
    assert found.order == [2, 0, 3, 1, 4] and not found.broken


def test_where_rules_must_be_broken_it_says_where_and_of_what():
    relevance = np.array([4.0, 3.0, 2.0, 1.0])
    of = group("aaab", count=1, window=2)
    found = arrange(relevance, [of], {}, 4)
    # The best item, then the only other kind; two a are left.
    assert found.order == [0, 3, 1, 2]
    (broken,) = found.broken
    assert (broken.place, broken.value, broken.group) == (3, "a", of)
    assert found.is_proven


def test_pins_look_ahead():
    # The a that is pinned to the third place keeps other a out of the second.
    relevance = np.array([4.0, 3.0, 2.0, 1.0])
    of = group("aaab", count=1, window=2)
    assert arrange(relevance, [of], {2: 0}, 3).order == [1, 3, 0]


def test_pins_that_break_a_rule_themselves_stay():
    of = group("aab", count=1, window=2)
    found = arrange(np.array([3.0, 2.0, 1.0]), [of], {0: 0, 1: 1}, 3)
    assert found.order == [0, 1, 2]
    assert [(b.place, b.value) for b in found.broken] == [(1, "a")]


def test_the_search_ends_after_its_effort():
    # Limits of which each can be kept, but hardly all of them; and many orders.
    random = np.random.default_rng(1)
    groups = [group(random.permutation(list("abc" * 10)), 1, 3) for _ in range(3)]
    found = arrange(random.random(30), groups, {}, 30, effort=50)
    assert sorted(found.order) == list(range(30))
    assert found.broken and not found.is_proven


def test_without_rules_it_is_the_order_of_relevance_and_ties_stay():
    found = arrange(np.array([1.0, 2.0, 2.0, 3.0]), [], {}, 4)
    assert found.order == [3, 1, 2, 0]


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_diversity_alone_is_mmr(weight):
    random = np.random.default_rng(2)
    for _ in range(20):
        count = int(random.integers(1, 9))
        relevance, vectors = random.random(count), random.random((count, 3))
        likeness = vectors @ vectors.T
        found = arrange(relevance, [], {}, count, likeness, weight)
        is_valid = np.ones((1, count), bool)
        (order,) = mmr_order([relevance], [likeness], is_valid, 1 - weight)
        assert found.order == order.tolist()


def test_diversity_chooses_among_what_the_rules_leave():
    # Worth by MMR from the top: 0; then 2, unlike 0; but 2 shares its value with 0.
    likeness = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    relevance = np.array([1.0, 0.8, 0.6])
    assert arrange(relevance, [], {}, 3, likeness, 0.5).order == [0, 2, 1]
    of = group("aba", count=1, window=2)
    assert arrange(relevance, [of], {}, 3, likeness, 0.5).order == [0, 1, 2]


@pytest.mark.parametrize(("places", "most"), [(0, 0), (1, 1), (2, 2), (4, 2), (7, 4)])
def test_how_many_of_one_value_fit(places, most):
    # Two in any five: 1, 2, 6, 7 are the places of the most.
    assert group("a", count=2, window=5).most_in(places) == most
