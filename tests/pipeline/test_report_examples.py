"""Which lists are shown, and how."""

import numpy as np
from report_run import make_list, order_of

from psad_tf.feature_sets import MOVIELENS_100K
from tfx_pipeline.report import results
from tfx_pipeline.report.examples import RULE, as_text, choose_lists

N = 9
KEEP = list(range(N))


def lifted(place: int) -> list[int]:
    """The order that moves the last item to `place`; the rest keep theirs."""
    rest = KEEP[:-1]
    return [*rest[:place], N - 1, *rest[place:]]


def last_clicked(name: str):
    return make_list([0] * (N - 1) + [1], request_id=name, past=7)


def measured(lists, *orders):
    order = order_of(*orders)
    return results.measure_lists(lists, order, MOVIELENS_100K, resamples=10)


def test_the_percentiles_of_the_change_are_shown():
    # Five gains, the larger the further up the click comes; names out of order.
    names = ["e", "a", "d", "b", "c"]
    places = [0, 8, 1, 6, 3]
    found = measured([last_clicked(n) for n in names], *map(lifted, places))

    shown = choose_lists(found, {})

    # Sorted by change: a, b, c, d, e; the 25th, 50th and 75th percentile are b, c, d.
    assert [x.request_id for x in shown] == ["b", "c", "d"]
    assert [x.quantile for x in shown] == [0.25, 0.5, 0.75]
    assert shown[1].before == np.float64(1 / np.log2(10))
    assert shown[1].after == 1 / np.log2(5)


def test_equal_changes_are_ordered_by_name_and_not_by_position():
    lists = [last_clicked(n) for n in "ecabd"]
    found = measured(lists, *[KEEP] * 5)

    assert [x.request_id for x in choose_lists(found, {})] == ["b", "c", "d"]


def test_short_lists_are_never_shown_and_none_is_shown_twice():
    lists = [make_list([0, 1, 0], request_id="short"), last_clicked("long")]
    found = measured(lists, [0, 1, 2], KEEP)

    assert [x.request_id for x in choose_lists(found, {})] == ["long"]
    assert choose_lists(measured(lists[:1], [0, 1, 2]), {}) == []


def test_places_before_and_after():
    found = measured([last_clicked("x")], lifted(1))
    titles = {"a": "Alien", "i": "Ikiru", "p6": "Playtime"}

    (shown,) = choose_lists(found, titles)

    first, second, third = shown.places[:3]
    assert (first.before, first.after, first.moved) == ("Alien", "Alien", 0)
    # The clicked one came from place 9, and pushed b one place down.
    assert (second.before, second.after, second.moved) == ("b", "Ikiru", 7)
    assert (second.before_clicked, second.after_clicked) == (False, True)
    assert (third.after, third.moved) == ("b", -1)
    assert [p.before_clicked for p in shown.places] == [False] * 8 + [True]
    assert shown.past_items == 7
    assert shown.history == ("Playtime", "p5", "p4", "p3", "p2")


def test_text_for_a_terminal():
    found = measured([last_clicked("x")], lifted(1))

    text = as_text(choose_lists(found, {"i": "A very long title indeed"}), width=10)

    lines = text.splitlines()
    assert lines[0] == RULE
    assert lines[2] == ("x (25th percentile): NDCG@10 0.3010 -> 0.6309, 7 past items")
    assert lines[3] == "last items: p6; p5; p4; p3; p2"
    assert lines[5] == " 1   a            a            ="
    assert lines[6] == " 2   b          * A very lo…  +7"
    assert lines[13] == " 9 * A very lo…   h           -1"
