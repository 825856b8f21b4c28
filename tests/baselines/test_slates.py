"""Beams and slates, against counting all orders."""

from itertools import permutations

import keras
import numpy as np
from keras import ops

from psad_tf.baselines import slates
from psad_tf.masking import mask_logit


def search(log_p, is_valid, slate, width):
    """A beam search where an item is as likely wherever it stands."""
    remains = ops.repeat(ops.convert_to_tensor(is_valid)[:, None], width, axis=1)
    worth, order = slates.first_beams(remains[:, 0], width), []
    for place in range(slate):
        added = ops.broadcast_to(log_p[:, place][:, None], ops.shape(remains))
        worth, parent, item = slates.extend(worth, added, remains)
        order = [slates.of_beams(before, parent) for before in order] + [item]
        taken = ops.one_hot(item, is_valid.shape[1], dtype="bool")
        remains = slates.of_beams(remains, parent) & ~taken
    return np.array(worth), np.array(ops.stack(order, axis=2))


def test_one_step_by_hand():
    worth = np.array([[-1.0, -2.0]], "float32")
    log_p = np.log(np.array([[[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]], "float32"))
    remains = np.array([[[True, True, False], [True, True, True]]])
    found, parent, item = slates.extend(worth, ops.convert_to_tensor(log_p), remains)
    # -1 + log .5 = -1.69, -1 + log .3 = -2.20, -2 + log .8 = -2.22
    np.testing.assert_allclose(found, [[-1 + np.log(0.5), -1 + np.log(0.3)]], rtol=1e-6)
    assert np.array(parent).tolist() == [[0, 0]]
    assert np.array(item).tolist() == [[0, 1]]


def test_a_beam_at_its_end_goes_on_as_it_is():
    worth = np.array([[-1.0, -5.0]], "float32")
    nothing = np.zeros((1, 2, 3), bool)
    log_p = np.full((1, 2, 3), mask_logit("float32"), "float32")
    found, parent, item = slates.extend(worth, log_p, ops.convert_to_tensor(nothing))
    np.testing.assert_array_equal(found, worth)
    assert np.array(parent).tolist() == [[0, 1]]
    assert np.array(item).tolist() == [[-1, -1]]


def test_a_wide_beam_finds_the_best_orders_of_lists_of_any_length():
    random, slate, width = np.random.default_rng(0), 3, 24
    is_valid = np.arange(4) < np.array([[4], [3], [1], [0]])
    log_p = -random.random((4, slate, 4)).astype("float32")
    worth, order = search(ops.convert_to_tensor(log_p), is_valid, slate, width)
    for row, count in enumerate([4, 3, 1, 0]):
        places = min(count, slate)
        best = sorted(
            (-sum(log_p[row, t, i] for t, i in enumerate(way)), way)
            for way in permutations(range(count), places)
        )
        real = np.array(slates.is_order(worth[row]))
        assert real.sum() == len(best)
        np.testing.assert_allclose(worth[row][real], [-b for b, _ in best], rtol=1e-5)
        expected = [list(way) + [-1] * (slate - places) for _, way in best]
        assert order[row][real].tolist() == expected


def test_scores_sort_as_the_slate_and_then_the_rest():
    order = np.array([[3, 1], [0, -1]], "int32")
    rest = np.array([[0.1, 9.0, 0.7, 9.0, 5.0], [0.0] * 5], "float32")
    is_valid = np.array([[True] * 4 + [False], [True] + [False] * 4])
    scores = np.array(slates.scores_of_slate(order, rest, is_valid))
    # 3 and 1 as placed; 2 before 0 by `rest`; what stands in the padding never.
    assert np.argsort(-scores[0]).tolist() == [3, 1, 2, 0, 4]
    assert (scores[~is_valid] == mask_logit("float32")).all()
    assert np.argmax(scores[1]) == 0


def test_noise_draws_from_the_softmax():
    share = np.array([0.6, 0.3, 0.1])
    noise = slates.gumbel_noise((20_000, 3), keras.random.SeedGenerator(1))
    drawn = np.argmax(np.log(share) + np.array(noise), axis=1)
    # Three standard errors of a share are below 0.011.
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, share, atol=0.011)
