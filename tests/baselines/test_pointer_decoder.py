"""The pointer decoder next to a loop in NumPy, and its readings of one another."""

from itertools import permutations

import keras
import numpy as np
import pytest
from backend_tools import compiled, gradients
from keras import ops
from model_cases import awake, weight_of

from psad_tf.baselines.pointer_decoder import PointerDecoder
from psad_tf.baselines.slates import gumbel_noise

DIM, LENGTH, SLATE = 3, 4, 3
IS_VALID = np.arange(LENGTH) < np.array([[4], [2], [1]])


@pytest.fixture(scope="module", params=[1, 2], ids=["one LSTM", "two LSTMs"])
def decoder(request):
    layer = PointerDecoder(DIM, num_layers=request.param)
    layer.build((None, LENGTH, DIM))
    return awake(layer, seed=1, scale=2.0)


@pytest.fixture(scope="module")
def given():
    random = np.random.default_rng(2)
    items, states = random.normal(size=(2, 3, LENGTH, DIM)).astype("float32")
    start = random.normal(size=(2, 3, DIM)).astype("float32")
    items, states, *start = map(ops.convert_to_tensor, (items, states, *start))
    return items, states, tuple(start)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logits_by_hand(decoder, items, states, start, order):
    """Logits of one order of one list: `[slate, list]`."""
    carry = [(start[0], start[1])] * decoder.num_layers
    x, found = np.array(decoder.first), []
    key, bias = (weight_of(decoder, f"key/{end}") for end in ("kernel", "bias"))
    query, point = (weight_of(decoder, f"{n}/kernel") for n in ("query", "point"))
    for item in order:
        for i, lstm in enumerate(decoder.lstms):
            kernel, recurrent, shift = (np.array(w) for w in lstm.weights)
            state, memory = carry[i]
            z = x @ kernel + state @ recurrent + shift
            put, forget, new, out = np.split(z, 4)
            memory = sigmoid(forget) * memory + sigmoid(put) * np.tanh(new)
            x = sigmoid(out) * np.tanh(memory)
            carry[i] = (x, memory)
        pointed = np.tanh(states @ key + bias + x @ query)
        found.append((pointed @ point)[:, 0])
        x = items[item] if item >= 0 else np.zeros(DIM)
    return np.array(found)


def test_logits_along_given_orders_are_those_of_the_equations(decoder, given):
    items, states, start = given
    order = np.array(
        [[[2, 0, 3], [1, 3, 0]], [[1, 0, -1], [0, 1, -1]], [[0, -1, -1]] * 2]
    )
    paths = decoder(items, states, start, ops.cast(order, "int32"), IS_VALID)
    for row in range(3):
        for path in range(2):
            expected = logits_by_hand(
                decoder,
                *(np.array(x[row]) for x in (items, states)),
                [np.array(s[row]) for s in start],
                order[row, path],
            )
            np.testing.assert_allclose(paths.logits[row, path], expected, atol=1e-5)
            for place, item in enumerate(order[row, path]):
                left = set(np.flatnonzero(IS_VALID[row])) - set(
                    order[row, path, :place]
                )
                left = left if item >= 0 else set()
                found = np.flatnonzero(paths.remains[row, path, place])
                assert set(found) == left


def test_choosing_takes_the_best_of_what_remains(decoder, given):
    paths = decoder.choose(*given, IS_VALID, SLATE)
    logits, remains = np.array(paths.logits), np.array(paths.remains)
    best = np.where(remains, logits, -np.inf).argmax(axis=-1)
    np.testing.assert_array_equal(paths.order, np.where(remains.any(-1), best, -1))
    assert (np.array(paths.order)[1:, 0] >= 0).sum(axis=1).tolist() == [2, 1]


def test_choosing_and_following_the_same_order_agree(decoder, given):
    noise = gumbel_noise((3, 5, SLATE, LENGTH), keras.random.SeedGenerator(3))
    drawn = decoder.choose(*given, IS_VALID, SLATE, noise)
    followed = decoder(*given, drawn.order, IS_VALID)
    np.testing.assert_allclose(drawn.logits, followed.logits, atol=1e-5)
    np.testing.assert_array_equal(drawn.remains, followed.remains)


def test_orders_are_drawn_as_often_as_they_are_likely(decoder, given):
    items, states, start = given
    one = items[:1], states[:1], tuple(s[:1] for s in start)
    draws = 4000
    noise = gumbel_noise((1, draws, SLATE, LENGTH), keras.random.SeedGenerator(4))
    order = np.array(decoder.choose(*one, IS_VALID[:1], SLATE, noise).order)[0]
    every, p = all_probabilities(decoder, one, 4)
    for way, share in zip(every, p, strict=True):
        found = np.mean((order == way).all(axis=1))
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / draws) + 1e-3


def all_probabilities(decoder, one, count):
    """All orders of one list, and what each is likely by the logits along it."""
    every = np.array(list(permutations(range(count), SLATE)), "int32")
    is_valid = (np.arange(LENGTH) < count)[None]
    paths = decoder(*one, ops.convert_to_tensor(every[None]), is_valid)
    shares = np.where(paths.remains, np.exp(np.array(paths.logits)), 0.0)[0]
    shares = shares / shares.sum(axis=-1, keepdims=True)
    each = np.take_along_axis(shares, every[..., None], axis=-1)
    return every, each[..., 0].prod(axis=1)


def test_the_beam_finds_what_counting_finds(decoder, given):
    items, states, start = given
    one = items[:1], states[:1], tuple(s[:1] for s in start)
    every, p = all_probabilities(decoder, one, 4)
    order, rest = decoder.beam_search(*one, IS_VALID[:1], SLATE, 24)
    assert np.array(order)[0].tolist() == every[p.argmax()].tolist()
    # The logits of the last place: those that the order itself has there.
    followed = decoder(*one, order[:, None], IS_VALID[:1])
    np.testing.assert_allclose(rest, followed.logits[:, 0, -1], atol=1e-5)


def test_a_beam_of_one_is_the_greedy_order(decoder, given):
    order, rest = decoder.beam_search(*given, IS_VALID, SLATE, 1)
    paths = decoder.choose(*given, IS_VALID, SLATE)
    np.testing.assert_array_equal(order, paths.order[:, 0])
    np.testing.assert_allclose(rest, paths.logits[:, 0, -1], atol=1e-5)


def test_it_compiles_for_any_number_of_lists(decoder, given):
    def both(items, states, h, c, is_valid):
        given = items, states, (h, c), is_valid, SLATE
        return decoder.choose(*given).order, decoder.beam_search(*given, 3)[0]

    items, states, (h, c) = given
    arguments = items, states, h, c, ops.convert_to_tensor(IS_VALID)
    for found, expected in zip(
        compiled(both, *arguments)(*arguments), both(*arguments), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_every_weight_learns_from_an_order(decoder, given):
    order = ops.convert_to_tensor(np.array([[[2, 0, 3]]] * 3, "int32"))

    def loss():
        logits = decoder(*given, order, np.ones_like(IS_VALID)).logits
        return ops.log_softmax(logits)[..., 0]

    for weight, gradient in zip(
        decoder.trainable_weights,
        gradients(decoder.trainable_weights, loss),
        strict=True,
    ):
        assert np.abs(gradient).max() > 1e-6, weight.path


def test_its_configuration_travels(decoder):
    again = PointerDecoder.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
