"""The figures of the report, worked out by hand on lists of three items."""

from dataclasses import replace

import numpy as np
import pytest
from report_run import SECOND, make_list, order_of

from psad_tf.feature_sets import MOVIELENS_100K
from psad_tf.features import Slice
from tfx_pipeline.report import results
from tfx_pipeline.report.groups import slice_groups

# One click, on b. Served b first; by mean rating it comes second.
LIST = make_list([0, 1, 0], mean_ratings=[2, 3, 4])
ORDER = [1, 0, 2]


def measure(lists, order, features=MOVIELENS_100K):
    return results.measure_lists(lists, order, features, resamples=200)


def test_each_ranker_against_paper():
    found = measure([LIST], order_of(ORDER))

    ndcg = found.values["ndcg_at_10"]
    assert ndcg["served"] == pytest.approx([1.0])
    assert ndcg["initial"] == pytest.approx([SECOND])
    assert ndcg["mean_rating"] == pytest.approx([SECOND])
    # The click in first and in second place: AP = 1 and 1/2.
    assert found.values["map_at_5"]["served"] == pytest.approx([1.0])
    assert found.values["map_at_5"]["initial"] == pytest.approx([0.5])


def test_the_denominators_of_average_precision_differ_past_the_cut():
    # 12 candidates, clicks in places 1 and 12: of the first 10, only one is a hit.
    ranking_list = make_list([1] + [0] * 10 + [1])
    found = measure([ranking_list], order_of(range(12)))

    assert found.values["map_at_10"]["served"] == pytest.approx([1.0])
    assert found.values["map_by_relevant_at_10"]["served"] == pytest.approx([0.5])


def test_random_order_has_the_mean_over_all_places():
    found = measure([LIST] * 300, order_of(*[ORDER] * 300))

    expected = (1 + SECOND + 0.5) / 3
    mean = found.overall["ndcg_at_10"].means["random"].mean
    assert mean == pytest.approx(expected, abs=0.01)


def test_gains_are_served_minus_rival_with_an_interval_around():
    worse = make_list([1, 0, 0], request_id="u1-2-0")
    found = measure([LIST, worse], order_of(ORDER, [1, 0, 2]))

    gain = found.overall["ndcg_at_10"].gains["initial"]
    # +(1 - SECOND) on one list, -(1 - SECOND) on the other.
    assert gain.mean == pytest.approx(0)
    assert gain.low == pytest.approx(SECOND - 1)
    assert gain.high == pytest.approx(1 - SECOND)
    assert "served" not in found.overall["ndcg_at_10"].gains


def test_equal_mean_ratings_keep_the_initial_order():
    found = measure([make_list([0, 1, 0])], order_of(ORDER))

    assert found.values["ndcg_at_10"]["mean_rating"] == pytest.approx([SECOND])


def test_a_data_set_without_mean_ratings_has_no_such_ranker():
    features = replace(
        MOVIELENS_100K,
        item=tuple(f for f in MOVIELENS_100K.item if f.name != "mean_rating"),
    )
    found = measure([LIST], order_of(ORDER), features)

    assert set(found.values["ndcg_at_10"]) == {"served", "initial", "random"}


def test_every_list_is_in_one_group_of_each_partition():
    lists = [make_list([0, 1, 0], past=n) for n in (0, 1, 4, 5, 50)]
    found = measure(lists, order_of(*[ORDER] * 5))

    sizes = {(c.partition, c.label): c.lists for c in found.slices}
    of_history = {k[1]: n for k, n in sizes.items() if k[0] == "history_length"}
    assert of_history == {"0": 1, "1-4": 2, "5-19": 1, "20+": 1}
    assert {c.label: c.lists for c in found.by_history} == {
        "0": 1,
        "1-4": 2,
        "5-9": 1,
        "10-19": 0,
        "20-34": 0,
        "35-49": 0,
        "50+": 1,
    }
    for partition in MOVIELENS_100K.slices:
        assert sum(n for k, n in sizes.items() if k[0] == partition.name) == 5


def test_a_group_without_lists_has_no_figures():
    found = measure([LIST], order_of(ORDER))

    (cold,) = (c for c in found.slices if c.label == "20+")
    assert (cold.lists, cold.means, cold.gains) == (0, {}, {})


def test_slices_by_a_feature_of_user_and_of_candidates():
    lists = [make_list([0, 1, 0], rating_count=n) for n in (0.0, 150.0)]
    by_user = Slice("activity", "user_rating_count", (1, 100))
    by_year = Slice("year", "candidate_year", (1980,))

    groups = slice_groups(lists, MOVIELENS_100K, by_user)
    assert {k: v.tolist() for k, v in groups.items()} == {
        "0": [True, False],
        "1-99": [False, False],
        "100+": [False, True],
    }
    assert slice_groups(lists, MOVIELENS_100K, by_year)["1980+"].all()


def test_a_slice_by_an_unknown_feature_is_an_error():
    with pytest.raises(ValueError, match="'user_height'.*no such raw feature"):
        slice_groups([LIST], MOVIELENS_100K, Slice("x", "user_height", (1,)))


@pytest.mark.parametrize("row", [[1, 0], [1, 1, 2], [0, 1, 2, 3], [0, 1, -1]])
def test_an_order_that_is_no_permutation_is_an_error(row):
    with pytest.raises(ValueError, match="'u1-1-0'.*no permutation"):
        measure([LIST], order_of(row))


def test_no_list_is_an_error():
    with pytest.raises(ValueError, match="no test list"):
        measure([], np.zeros((0, 20), int))
