"""A world's tensors against the lists that the pipeline is given, in the fixture size.

Every list of every user is compared.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from psad_tf import tensors
from psad_tf.bench.bundle import ITEM_INDEX, RELEVANCE, SPLITS
from psad_tf.bench.world_bundle import world_bundle
from psad_tf.config import PSADConfig
from psad_tf.data.click_world.config import world_config
from psad_tf.data.click_world.lists import ListMaker
from psad_tf.data.click_world.logs import make_log
from psad_tf.data.click_world.statistics import ItemStatistics, daily_counts
from psad_tf.data.click_world.users import make_user
from psad_tf.data.click_world.world import World
from psad_tf.features import INITIAL_SCORE, ITEM_ID

MIN_COUNT = 3  # of `item_id`
NUMBERS = ("log_price", "price_level", "click_rate", "log_impressions")


@pytest.fixture(scope="module")
def made():
    """The bundle, and by split the lists it is of, in the order of time."""
    config = world_config("fixture")
    world = World.make(config)
    users = [make_user(world, number) for number in range(config.users)]
    logs = [make_log(world, user, number) for number, user in enumerate(users)]
    maker = ListMaker(world, ItemStatistics(daily_counts(logs, config)))
    lists = {split: [] for split in SPLITS}
    for number, (user, log) in enumerate(zip(users, logs, strict=True)):
        for split, found in maker.stored(number, user, log):
            lists[split].append((found.timestamp, number, found))
    for split, found in lists.items():
        found.sort(key=lambda x: x[:2])  # Nobody has two lists at one time.
        lists[split] = [x[2] for x in found]
    bundle = world_bundle(config, processes=1)
    return SimpleNamespace(bundle=bundle, lists=lists, world=world)


def each(made, name):
    """Every list of the pipeline beside its row of a tensor."""
    for split, lists in made.lists.items():
        rows = made.bundle.splits[split][name]
        assert len(rows) == len(lists) > 50
        yield from zip(lists, rows, strict=True)


def test_labels_and_truth_are_those_of_the_lists(made):
    for found, row in each(made, tensors.LABEL):
        np.testing.assert_array_equal(row, found.labels)
    for found, row in each(made, RELEVANCE):
        expected = [t["true_relevance"] for t in found.truth]
        np.testing.assert_allclose(row, expected, rtol=1e-6)
    ids = made.world.items.ids()
    for found, row in each(made, ITEM_INDEX):
        assert [ids[i] for i in row] == [c[ITEM_ID] for c in found.candidates]


def test_numbers_are_the_lists_own_standardised_by_the_training_lists(made):
    """And nothing else: the truth is not among them."""
    for place, last, name in (
        ("candidates", INITIAL_SCORE, tensors.CANDIDATE_DENSE),
        ("history", "log_hours_ago", tensors.HISTORY_DENSE),
    ):
        columns = [*NUMBERS, last]

        def numbers(found, place=place, columns=columns):
            items = getattr(found, place)
            return np.array([[item[c] for c in columns] for item in items])

        known = [numbers(x) for x in made.lists["train"] if getattr(x, place)]
        known = np.concatenate(known)
        mean, deviation = known.mean(axis=0), known.std(axis=0)
        for found, row in each(made, name):
            count = len(getattr(found, place))
            assert row.shape[1] == len(columns) and not row[count:].any()
            if count:
                expected = (numbers(found) - mean) / deviation
                np.testing.assert_allclose(row[:count], expected, atol=1e-3)


def test_history_stands_first_and_its_items_are_those_of_the_lists(made):
    unknown = made.bundle.sizes["item_unknown_ids"]
    for found, row in each(made, tensors.HISTORY_IS_VALID):
        count = len(found.history)
        np.testing.assert_array_equal(row, np.arange(len(row)) < count)
    for found, row in each(made, tensors.HISTORY_IDS):
        count = len(found.history)
        assert not row[count:].any()
        expected = [
            (int(i["category"][1:]), int(i["brand"][1:])) for i in found.history
        ]
        known = (row[:count, 1:] - unknown[1:] - 1).tolist()
        assert known == [list(pair) for pair in expected]


def test_items_too_rare_in_training_are_unknown_and_no_two_share_an_id(made):
    counts = {}
    for found in made.lists["train"]:
        for item in [*found.candidates, *found.history]:
            counts[item[ITEM_ID]] = counts.get(item[ITEM_ID], 0) + 1
    unknown, names = made.bundle.sizes["item_unknown_ids"][0], {}
    for place, name in (
        ("candidates", tensors.CANDIDATE_IDS),
        ("history", tensors.HISTORY_IDS),
    ):
        for found, row in each(made, name):
            for item, ids in zip(getattr(found, place), row, strict=False):
                is_rare = counts.get(item[ITEM_ID], 0) < MIN_COUNT
                assert (ids[0] == unknown) == is_rare
                if not is_rare:
                    assert names.setdefault(ids[0], item[ITEM_ID]) == item[ITEM_ID]
    assert len(set(names.values())) == len(names) > 50
    assert any(count < MIN_COUNT for count in counts.values())


def test_users_without_a_training_list_are_unknown(made):
    trained = {found.user["user_id"] for found in made.lists["train"]}
    unknown = made.bundle.sizes["user_unknown_ids"]
    strangers = 0
    for found, row in each(made, tensors.USER_IDS):
        is_new = found.user["user_id"] not in trained
        strangers += is_new
        expected = 0 if is_new else 1 + int(found.user["user_id"][1:])
        assert row[0] - unknown[0] == expected
        assert row[3] - unknown[3] - 1 == int(found.user["user_segment"][1:])
        assert row[4] - unknown[4] == int(found.user["user_city_tier"][1:])
        age = sum(found.user["user_age"] >= end for end in (25, 35, 50))
        assert row[1] - unknown[1] - 1 == age
        before = sum(found.user["user_list_count"] >= n for n in (1, 5, 10, 20))
        assert row[5] - unknown[5] - 1 == before
    assert strangers > 0


def test_ids_of_a_field_stay_in_its_part_of_the_space(made):
    sizes = made.bundle.sizes
    for name, space in (
        (tensors.USER_IDS, "user"),
        (tensors.CANDIDATE_IDS, "item"),
        (tensors.HISTORY_IDS, "item"),
    ):
        begins = np.array(sizes[f"{space}_unknown_ids"])
        ends = np.array([*begins[1:], sizes[f"{space}_rows"]])
        for columns in made.bundle.splits.values():
            ids = columns[name].reshape(-1, len(begins))
            ids = ids[ids.any(axis=1)]
            assert (ids >= begins).all() and (ids < ends).all()


def test_no_input_is_the_truth(made):
    assert not {RELEVANCE, ITEM_INDEX} & {*tensors.INPUTS, tensors.LABEL}
    columns = made.bundle.splits["test"]
    truth = columns[RELEVANCE].ravel()
    for feature in range(columns[tensors.CANDIDATE_DENSE].shape[-1]):
        values = columns[tensors.CANDIDATE_DENSE][..., feature].ravel()
        assert abs(np.corrcoef(values, truth)[0, 1]) < 0.9


def test_sizes_make_a_model_and_vectors_are_the_click_models(made):
    config = PSADConfig.of(made.bundle.sizes)
    assert (config.list_length, config.history_length) == (20, 50)
    # The ages and the counts are buckets, which are never unknown.
    assert config.user_id_dropout_fields == (0, 2, 3, 4)
    np.testing.assert_allclose(
        np.linalg.norm(made.bundle.vectors, axis=1), 2.0, rtol=1e-5
    )
    assert made.bundle.eta == made.world.config.eta
    assert made.bundle.dataset == "click_world"


def test_the_first_test_lists_are_kept(made):
    some = world_bundle(made.world.config, most_test_lists=7, processes=1)
    for split in ("validation", "test"):
        for name, array in some.splits[split].items():
            np.testing.assert_array_equal(array, made.bundle.splits[split][name][:7])
    assert len(some.label("train")) == len(made.bundle.label("train"))
