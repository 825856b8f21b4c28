"""Diversity and popularity of an order, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import make_bundle

from psad_tf import tensors
from psad_tf.bench.exposure import categories, exposure, percentiles

# Items 1 to 4; two columns of categories, 0 for none.
LIST = [[1, 5, 0], [2, 5, 6], [3, 7, 0], [4, 0, 0], [1, 6, 5]]


@pytest.fixture
def bundle():
    """Two test lists of five and three candidates; the second one's padding is real."""
    made = make_bundle()
    ids = np.array([LIST, LIST])
    is_valid = np.array([[True] * 5, [True, True, True, False, False]])
    test = {tensors.CANDIDATE_IDS: ids, tensors.CANDIDATE_IS_VALID: is_valid}
    shown = np.array([[[2, 0, 0], [2, 0, 0], [3, 0, 0], [9, 0, 0]]])
    train = {
        tensors.CANDIDATE_IDS: shown,
        tensors.CANDIDATE_IS_VALID: np.array([[True, True, True, False]]),
    }
    # Its columns are its own; of the features the place of the category counts.
    splits = {"train": train, "test": test}
    of_ids = {name: np.zeros((1, 1), int) for name in ("user_ids", "history_ids")}
    splits = {name: values | of_ids for name, values in splits.items()}
    return replace(made, dataset="movielens_100k", splits=splits)


def test_categories_are_those_of_real_candidates(bundle):
    found = categories(bundle, "test")
    np.testing.assert_array_equal(found[0], np.array(LIST)[:, 1:])
    assert (found[1, 3:] == 0).all()


def test_popularity_is_the_rank_among_training_candidates(bundle):
    found = percentiles(bundle)
    # Item 2 twice, item 3 once; padding is nobody.
    assert found[[2, 3, 1, 9]].tolist() == [1.0, 0.5, 0.0, 0.0]


def test_the_first_places_by_hand(bundle):
    order = np.array([[0, 1, 2], [1, 2, -1]])
    found = exposure(bundle, "test", order)
    # {5}, {5, 6}, {7}: Jaccard 1/2, 0, 0. Then {5, 6}, {7}: 0.
    np.testing.assert_allclose(found["ild"], [(0.5 + 1 + 1) / 3, 1.0])
    # 5, 6, 7 of 5, 6, 7; the second list's candidates have the same.
    np.testing.assert_allclose(found["coverage"], [1.0, 1.0])
    np.testing.assert_allclose(found["popularity"], [1.5 / 3, 1.5 / 2])


def test_alike_items_and_items_without_a_category(bundle):
    found = exposure(bundle, "test", np.array([[1, 4, -1], [0, -1, -1]]))
    # {5, 6} twice; one item alone.
    assert found["ild"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(found["coverage"], [2 / 3, 1 / 3])
    found = exposure(bundle, "test", np.array([[3, 0, -1], [-1, -1, -1]]))
    assert found["ild"].tolist() == [1.0, 0.0]
    assert found["popularity"].tolist() == [0.0, 0.0]
