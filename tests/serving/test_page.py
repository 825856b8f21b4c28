"""Pages of reranked lists, by hand."""

import numpy as np
import pytest

from psad_tf.data.ranking_list import RankingList
from serving.answers import Reranked, initial_order
from serving.page import lay_out
from serving.page_rules import AtMost, Diversity, PageError, PageRules, PriceTiers

SHOES = "shoes shoes hats shoes bags|hats bags".split()
PRICES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
LIST = RankingList(
    {},
    [
        {"item_id": name, "category": category, "price": price}
        for name, category, price in zip("abcdef", SHOES, PRICES, strict=True)
    ],
)


def answer(order="abcdef", scores=(6.0, 5.0, 4.0, 3.0, 2.0, 1.0)):
    places = tuple("abcdef".index(name) for name in order)
    return Reranked(tuple(order), tuple(scores), places, model_version=7)


def page(order="abcdef", of=LIST, **rules):
    found = lay_out(answer(order), of, PageRules(**rules))
    return "".join(found.answer.item_ids), found


def at_most(count, window, feature="category"):
    return {"at_most": (AtMost(feature, count, window),)}


def test_without_rules_a_page_is_the_answer():
    assert lay_out(answer("fedcba"), LIST, PageRules()).answer == answer("fedcba")


def test_at_most_one_of_a_category_in_two_places():
    # a, b and d are shoes: c and e come between.
    items, found = page(**at_most(1, 2))
    assert items == "acbedf"
    kinds = [set(SHOES["abcdef".index(name)].split("|")) for name in items]
    assert all(not one & two for one, two in zip(kinds, kinds[1:], strict=False))
    assert found.relaxed == ()


def test_scores_and_positions_go_with_their_items():
    _, found = page("fedcba", **at_most(1, 2))
    given = answer("fedcba")
    for name, score, place in zip(
        found.answer.item_ids, found.answer.scores, found.answer.order, strict=True
    ):
        at = given.item_ids.index(name)
        assert (score, place) == (given.scores[at], given.order[at])
    assert found.answer.model_version == 7


def test_rules_end_with_the_page_and_nothing_is_lost():
    items, found = page(length=2, **at_most(1, 2))
    # Below the page, b and d stand by their scores, shoes or not.
    assert items == "acbdef" and found.relaxed == ()


def test_a_rule_that_cannot_hold_is_broken_where_it_must_be():
    shoes = RankingList({}, [LIST.candidates[i] for i in (0, 1, 3)])
    given = Reranked(("a", "b", "d"), (3.0, 2.0, 1.0), (0, 1, 2))
    rules = PageRules(at_most=(AtMost("category", 1, 2),))
    found = lay_out(given, shoes, rules)
    assert found.answer == given
    assert found.relaxed[0] == (
        "place 2: at most 1 of one category in 2 places, but there are more of "
        "'shoes'; no order of these candidates keeps all rules"
    )
    assert len(found.relaxed) == 2 and found.is_proven
    strict = PageRules(at_most=rules.at_most, strict=True)
    with pytest.raises(PageError, match=r"place 2: .*\(2 in all\); ask for less"):
        lay_out(given, shoes, strict)


def test_a_search_that_ends_too_early_says_that_it_does_not_know():
    # Going on with the best that fits keeps the categories apart by luck.
    found = lay_out(answer(), LIST, PageRules(effort=1, **at_most(1, 2)))
    assert found.relaxed == () and found.is_proven
    # Prices would ask for going back from the fifth place.
    rules = PageRules(effort=1, at_most=(PriceTiers("price", 1, 2),))
    found = lay_out(answer(), LIST, rules)
    assert not found.is_proven
    assert "no order that keeps all rules was found in 1 steps" in found.relaxed[0]


def test_pinned_items_stand_where_they_are_pinned():
    items, found = page(pins={1: "f", 4: "a"})
    assert items == "fbcade" and found.relaxed == ()


def test_a_pinned_item_that_is_not_there_is_told():
    items, found = page(pins={2: "z", 1: "f"})
    assert items == "fabcde"
    assert found.relaxed == ("place 2: 'z' is pinned, but is no candidate",)
    _, found = page(pins={9: "a"})
    assert found.relaxed == ("place 9: 'a' is pinned, but there are 6 places",)
    with pytest.raises(PageError, match="'z' is pinned, but is no candidate"):
        page(pins={2: "z"}, strict=True)


def test_diversity_brings_other_categories_up():
    items, _ = page(diversity=Diversity("category", 0.0))
    assert items == "abcdef"
    # Scores from 0 to 1 are 1, .8, .6, .4, .2, 0. After a, half of them less half of
    # the likeness: b .4 - .5, c .3, so c; then e shares one of two with c, f nothing.
    items, _ = page(diversity=Diversity("category", 0.5))
    assert items[:2] == "ac"
    # By likeness alone: a, then the first that is unlike it, then bags.
    items, _ = page(diversity=Diversity("category", 1.0))
    assert items[:3] == "acf"


def test_price_tiers_are_mixed():
    # Thirds of the list's own prices: ab, cd, ef. With d in the fourth place, e and f
    # would stand side by side.
    items, found = page(at_most=(PriceTiers("price", 1, 2),))
    assert items == "acbedf" and found.relaxed == ()
    # 30 itself is of the upper tier: ab, cdef.
    items, _ = page(length=4, at_most=(PriceTiers("price", 1, 2, (30.0,)),))
    assert items[:4] == "acbd"


def test_all_rules_hold_together():
    items, found = page(
        at_most=(AtMost("category", 2, 3), PriceTiers("price", 2, 3)),
        pins={6: "a"},
        diversity=Diversity("category", 0.3),
    )
    assert items[5] == "a" and sorted(items) == list("abcdef") and not found.relaxed


def test_a_fallback_is_laid_out_by_its_initial_order():
    fallback = initial_order(LIST, "UNAVAILABLE: no server")
    found = lay_out(fallback, LIST, PageRules(length=2, **at_most(1, 2))).answer
    assert "".join(found.item_ids) == "acbdef"
    assert found.is_fallback and found.scores == () and found.reason == fallback.reason


def test_a_list_of_nothing_makes_an_empty_page():
    empty = RankingList({}, [])
    rules = PageRules(diversity=Diversity("category", 0.5), **at_most(1, 2))
    assert lay_out(initial_order(empty), empty, rules).answer == Reranked(())


def test_an_item_without_a_value_breaks_no_rule():
    nameless = RankingList({}, [c | {"category": ""} for c in LIST.candidates])
    items, found = page(of=nameless, **at_most(1, 2))
    assert items == "abcdef" and found.relaxed == ()


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (at_most(1, 2, "brand"), "candidate 0 has no feature 'brand'; it has"),
        ({"diversity": Diversity("brand", 0.1)}, "has no feature 'brand'"),
        ({"at_most": (PriceTiers("category", 1, 2),)}, "must be a finite number"),
    ],
)
def test_a_rule_about_what_is_not_there_is_refused(rules, told):
    with pytest.raises(ValueError, match=told):
        page(**rules)


def test_an_answer_of_another_list_is_refused():
    other = RankingList({}, LIST.candidates[::-1])
    with pytest.raises(ValueError, match="give the list that was asked about"):
        page(of=other)
    with pytest.raises(ValueError, match="not those of the list"):
        page(of=RankingList({}, LIST.candidates[:3]))


def test_scores_that_are_no_numbers_are_refused():
    scores = (np.nan, 5.0, 4.0, 3.0, 2.0, 1.0)
    with pytest.raises(ValueError, match="not finite"):
        lay_out(answer(scores=scores), LIST, PageRules())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: AtMost("brand", 0, 3), "count=0, window=3 of brand"),
        (lambda: AtMost("brand", 3, 3), "a window of more places"),
        (lambda: PriceTiers("price", 1, 2, (5.0, 5.0)), "give increasing numbers"),
        (lambda: PriceTiers("price", 1, 2, tiers=1), "tiers=1; give 2 or more"),
        (lambda: Diversity("brand", 1.5), "weight=1.5; it must lie in 0..1"),
        (lambda: PageRules(length=0), "length=0; give 1 or more"),
        (lambda: PageRules(effort=0), "effort=0; give 1 or more"),
        (lambda: PageRules(pins={0: "a"}), "no place 0 .* places count from 1"),
        (lambda: PageRules(pins={5: "a"}, length=4), "no place 5 on a page of 4"),
        (lambda: PageRules(pins={1: "a", 2: "a"}), "'a' has more than one place"),
    ],
)
def test_rules_that_make_no_sense_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
