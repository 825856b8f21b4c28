"""From a log to lists: features by hand, nothing from later, nothing lost."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from small_world import small_world

from psad_tf.data.click_world.config import BEGIN, DAY, world_config
from psad_tf.data.click_world.lists import ListMaker, fates, past_clicks
from psad_tf.data.click_world.logs import UserLog
from psad_tf.data.click_world.statistics import ItemStatistics, daily_counts
from psad_tf.data.click_world.summary import count_lists, summarise, worth_of_orders
from psad_tf.data.click_world.world import World
from psad_tf.data.examples import decode_list, encode_list
from psad_tf.feature_sets import CLICK_WORLD

NOON = DAY // 2


def made_up_log():
    """Three lists of three items, on days 0, 0 and 1."""
    clicks = [[True, False, True], [False, False, False], [True, True, True]]
    return UserLog(
        times=BEGIN + np.array([100, NOON, DAY + 100]),
        items=np.array([[0, 1, 2], [1, 2, 3], [3, 0, 1]]),
        scores=np.zeros((3, 3)),
        relevance=np.full((3, 3), 0.5),
        clicks=np.array(clicks),
        explored=np.zeros(3, bool),
    )


def tiny_config(**changes):
    return world_config("fixture", items=40, list_length=3, days=4, **changes)


def test_statistics_by_hand():
    config = tiny_config(burn_in_days=1)
    counts = daily_counts([made_up_log(), made_up_log()], config)
    assert counts.shape == (4, 40, 2)
    assert counts[0, :4].tolist() == [[2, 2], [4, 0], [4, 2], [2, 0]]
    assert counts[1, :4].tolist() == [[2, 2], [2, 2], [0, 0], [2, 2]]
    statistics = ItemStatistics(counts)
    nothing_yet = statistics.as_of(np.array([0, 1]), BEGIN + DAY - 1)
    assert nothing_yet.tolist() == [[pytest.approx(0.1), 0.0]] * 2
    # Day 1 knows day 0 alone: 12 impressions, 4 clicks; the prior weighs 10.
    rate, count = statistics.as_of(np.array([2]), BEGIN + DAY + 100)[0]
    assert rate == pytest.approx((2 + 10 * 4 / 12) / (4 + 10))
    assert count == pytest.approx(np.log(5))
    last = statistics.as_of(np.array([0]), BEGIN + 3 * DAY)[0]
    assert last[0] == pytest.approx((4 + 10 * 10 / 18) / (4 + 10))


def test_past_clicks_are_those_of_earlier_lists_oldest_first():
    found = [past.items.tolist() for past in past_clicks(made_up_log(), 50)]
    assert found == [[], [0, 2], [0, 2]]
    times = past_clicks(made_up_log(), 50)[2].times - BEGIN
    assert times.tolist() == [100, 100]
    assert [past.items.tolist() for past in past_clicks(made_up_log(), 1)] == [
        [],
        [2],
        [2],
    ]


def test_fates_by_hand():
    """Burn-in ends after day 0; then train to 1/2, validation to 3/4 of three days."""
    world = World.make(tiny_config(burn_in_days=1, train_share=0.5))
    log = made_up_log()
    some = np.array([[True, False, False]] * 3)

    def at(*days, clicks=some):
        times = BEGIN + np.array(days) * DAY
        moved = dataclasses.replace(log, times=times.astype(int), clicks=clicks)
        return fates(moved, world)

    assert at(0, 0.99, 1) == ["burn_in", "burn_in", "train"]
    assert at(2.49, 2.51, 3.9) == ["train", "validation", "test"]
    assert at(1, 2, 3, clicks=~some & some) == ["no_click"] * 3
    assert at(0.5, 2, 3, clicks=some | ~some) == ["burn_in"] + ["all_clicked"] * 2


def test_features_of_a_list_by_hand():
    world, users, logs = small_world()
    counts = daily_counts(logs, world.config)
    maker = ListMaker(world, ItemStatistics(counts))
    number = next(n for n, log in enumerate(logs) if "test" in fates(log, world))
    user, log = users[number], logs[number]
    row = fates(log, world).index("test")
    made = dict(maker.stored(number, user, log))["test"]  # the last one
    row = max(r for r, fate in enumerate(fates(log, world)) if fate == "test")
    assert made.request_id == f"u{number}-{row}"
    assert made.timestamp == log.times[row]
    assert made.user["user_list_count"] == row
    assert made.labels == log.clicks[row].tolist()
    assert [x["true_relevance"] for x in made.truth] == log.relevance[row].tolist()
    item, index = made.candidates[3], log.items[row, 3]
    assert item["item_id"] == f"i{index}"
    assert item["category"] == f"c{world.items.category[index]}"
    assert item["initial_score"] == log.scores[row, 3]
    expected = ItemStatistics(counts).as_of(np.array([index]), made.timestamp)
    assert [item["click_rate"], item["log_impressions"]] == expected[0].tolist()
    past = past_clicks(log, 50)[row]
    assert [x["item_id"] for x in made.history] == [f"i{i}" for i in past.items]
    hours = [np.expm1(x["log_hours_ago"]) for x in made.history]
    assert hours == pytest.approx(list((made.timestamp - past.times) / 3600))
    assert hours == sorted(hours, reverse=True) and min(hours) > 0


def test_lists_encode_with_their_truth_and_requests_without():
    world, users, logs = small_world()
    maker = ListMaker(world, ItemStatistics(daily_counts(logs, world.config)))
    _, made = next(maker.stored(0, users[0], logs[0]))
    again = decode_list(encode_list(made, CLICK_WORLD), CLICK_WORLD)
    for one, other in zip(again.truth, made.truth, strict=True):
        assert one["true_relevance"] == np.float32(other["true_relevance"])
    request = dataclasses.replace(made, labels=None)
    assert decode_list(encode_list(request, CLICK_WORLD), CLICK_WORLD).truth is None


def test_later_clicks_change_no_earlier_list():
    world, users, logs = small_world()
    moment = BEGIN + 45 * DAY
    changed = [
        dataclasses.replace(log, clicks=log.clicks ^ (log.times >= moment)[:, None])
        for log in logs
    ]
    earlier = []
    for some in (logs, changed):
        maker = ListMaker(world, ItemStatistics(daily_counts(some, world.config)))
        made = [x for n in range(40) for _, x in maker.stored(n, users[n], some[n])]
        earlier.append([x for x in made if x.timestamp < moment])
    assert earlier[0] == earlier[1] and len(earlier[0]) > 50


def test_counts_add_up_however_users_are_split():
    world, _, logs = small_world()
    whole = count_lists(logs, world)
    parts = Counter()
    for begin in range(0, len(logs), 7):
        parts.update(count_lists(logs[begin : begin + 7], world))
    assert parts == whole
    lists = sum(len(log.times) for log in logs)
    assert sum(n for name, n in whole.items() if name.startswith("lists/")) == lists


def test_the_summary_says_what_the_lists_are():
    world, _, logs = small_world()
    summary = summarise(count_lists(logs, world), world)
    chosen = [
        (log, np.array([name == "test" for name in fates(log, world)], bool))
        for log in logs
    ]
    items, scores, relevance = (
        np.concatenate([getattr(log, name)[rows] for log, rows in chosen])
        for name in ("items", "scores", "relevance")
    )
    assert summary["lists"]["test"] == len(items)
    worth = worth_of_orders(items, scores, relevance, world)
    for name, value in summary["true_utility_of_test_lists"].items():
        assert value == pytest.approx(worth[name].mean(), abs=1e-5)
    found = summary["true_utility_of_test_lists"]
    assert found["logged"] < found["by_true_relevance"] < found["best_found"]
    rates = summary["click_rate_by_place"]
    assert len(rates) == 20 and sum(rates) == pytest.approx(
        summary["clicks_per_list"], abs=1e-4
    )
    assert summary["cold_test_lists"]["new_item"] > 0


def test_short_lists_have_the_best_of_all_orders():
    world, _, logs = small_world(list_length=5)
    summary = summarise(count_lists(logs, world), world)
    assert summary["best_found_by"] == "trial of all orders"
