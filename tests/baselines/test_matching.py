"""Matching candidates and places next to plain loops, and what it may not know."""

import keras
import numpy as np
import pytest
from model_cases import TINY, arrays, awake, make_batch, tensors

from psad_tf.baselines.matching import (
    MatchingModel,
    contrastive_orders,
    cosines,
    isotropy_loss,
    matching_logits,
)

COUNTS = [6, 5, 3, 2, 1, 6]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = MatchingModel(TINY)
    made.build()
    return awake(made)


def encoded(model, inputs):
    states, places = model(tensors(inputs))
    return np.array(states), np.array(places)


def test_p_is_the_softmax_over_a_lists_candidates(model):
    inputs, _ = make_batch(TINY, COUNTS)
    states, places = encoded(model, inputs)
    is_valid = np.array(inputs["candidate_is_valid"])
    logits = matching_logits(states, places, is_valid)
    p = np.array(keras.ops.softmax(logits))
    for row, count in enumerate(COUNTS):
        for j in range(TINY.slate_length):
            each = np.exp(states[row, :count] @ places[row, j] / np.sqrt(8))
            np.testing.assert_allclose(p[row, j, :count], each / each.sum(), rtol=1e-4)
            assert (p[row, j, count:] == 0).all()


def test_candidates_are_a_set(model):
    inputs, _ = make_batch(TINY, [6] * 4)
    states, places = encoded(model, inputs)
    turned = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        turned[name] = turned[name][:, ::-1].copy()
    states_turned, places_turned = encoded(model, turned)
    np.testing.assert_allclose(states_turned[:, ::-1], states, atol=1e-4)
    np.testing.assert_allclose(places_turned, places, atol=1e-4)


def test_places_past_the_end_of_a_list_are_not_seen(model):
    # Moved, the embedding of the fourth place counts for lists that have one alone.
    inputs, _ = make_batch(TINY, [3, 6])
    _, places = encoded(model, inputs)
    table = model.places.embeddings
    before = np.array(table)
    table.assign(before + np.eye(4, 8, dtype="float32") * (np.arange(4) == 3)[:, None])
    _, moved = encoded(model, inputs)
    table.assign(before)
    np.testing.assert_allclose(moved[0, :3], places[0, :3], atol=1e-6)
    assert np.abs(moved[1, :3] - places[1, :3]).max() > 1e-4


def plain_order(p, likeness, count, alpha):
    order = []
    for j in range(min(len(p), count)):
        worth = {
            i: (1 - alpha) * p[j, i]
            - alpha * max((likeness[i, k] for k in order), default=0)
            for i in range(count)
            if i not in order
        }
        order.append(max(worth, key=worth.get))
    return order + [-1] * (len(p) - len(order))


def test_contrastive_orders_are_the_plain_loop():
    random, alphas = np.random.default_rng(0), (0.0, 0.3, 0.6, 1.0)
    is_valid = np.arange(6) < np.array(COUNTS)[:, None]
    p = random.random((6, 4, 6)).astype("float32")
    likeness = np.array(cosines(random.normal(size=(6, 6, 3)).astype("float32")))
    found = contrastive_orders(p, likeness, is_valid, alphas)
    for row, count in enumerate(COUNTS):
        for a, alpha in enumerate(alphas):
            expected = plain_order(p[row], likeness[row], count, alpha)
            np.testing.assert_array_equal(found[row, a], expected)


def test_what_is_like_the_first_item_has_to_wait():
    # At 0.5 the second item is worth 0.25 - 0.5, the third one 0.1 - 0.
    p = np.array([[[0.6, 0.3, 0.1], [0.3, 0.5, 0.2], [0.4, 0.3, 0.3]]], "float32")
    likeness = np.array([[[1, 1, 0], [1, 1, 0], [0, 0, 1]]], "float32")
    orders = contrastive_orders(p, likeness, np.ones((1, 3), bool), (0.0, 0.5))
    np.testing.assert_array_equal(orders, [[[0, 1, 2], [0, 2, 1]]])


def test_cosines_by_hand():
    vectors = np.array([[[3, 4], [4, 3], [-6, -8], [0, 0]]], "float32")
    expected = [[1, 0.96, -1, 0], [0.96, 1, -0.96, 0], [-1, -0.96, 1, 0], [0] * 4]
    np.testing.assert_allclose(cosines(vectors)[0], expected, atol=1e-6)


@pytest.mark.parametrize("margin", [0.2, 1.0])
def test_isotropy_is_the_plain_loop(margin):
    vectors = np.random.default_rng(1).normal(size=(6, 6, 3)).astype("float32")
    is_valid = np.arange(6) < np.array(COUNTS)[:, None]
    found = isotropy_loss(vectors, is_valid, margin)
    for row, count in enumerate(COUNTS):
        terms = [
            max(0, margin - 1 + a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            for i, a in enumerate(vectors[row, :count])
            for k, b in enumerate(vectors[row, :count])
            if i != k
        ]
        expected = np.mean(terms) if terms else 0
        np.testing.assert_allclose(found[row], expected, atol=1e-6)
