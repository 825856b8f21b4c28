"""EG-Rerank's evaluator next to a loop in NumPy."""

import numpy as np
import pytest
from keras import ops
from model_cases import awake, weight_of

from psad_tf.baselines.order_evaluator import OrderEvaluator
from psad_tf.masking import mask_logit

DIM, PLACES = 3, 4
IS_VALID = np.arange(PLACES) < np.array([[4], [2]])


@pytest.fixture(scope="module")
def evaluator():
    layer = OrderEvaluator(DIM, num_layers=2, ffn_dim=5)
    layer.build()
    return awake(layer, seed=1, scale=2.0)


@pytest.fixture(scope="module")
def items():
    random = np.random.default_rng(2)
    return random.normal(size=(2, PLACES, DIM)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(layer, inputs):
    """The states of one list: z h + (1 - z) tanh(W x + r (U h + b) + c)."""
    kernel, recurrent, (bias, shift) = (ops.convert_to_numpy(w) for w in layer.weights)
    h, found = np.zeros(DIM), []
    for x in inputs:
        from_x, from_h = (
            np.split(x @ kernel + bias, 3),
            np.split(h @ recurrent + shift, 3),
        )
        z, r = (sigmoid(from_x[i] + from_h[i]) for i in (0, 1))
        h = z * h + (1 - z) * np.tanh(from_x[2] + r * from_h[2])
        found.append(h)
    return np.array(found)


def test_it_is_the_equations(evaluator, items):
    found = np.array(evaluator(items, IS_VALID))
    hidden, bias = (weight_of(evaluator, f"hidden/{e}") for e in ("kernel", "bias"))
    click, shift = (weight_of(evaluator, f"click/{e}") for e in ("kernel", "bias"))
    for row, count in enumerate([4, 2]):
        states = items[row, :count]
        for layer in evaluator.grus:
            states = gru(layer, states)
        both = np.concatenate([items[row, :count], states], axis=1)
        expected = np.maximum(both @ hidden + bias, 0) @ click + shift
        np.testing.assert_allclose(found[row, :count], expected[:, 0], atol=1e-5)
    assert (found[~IS_VALID] == mask_logit("float32")).all()


def test_an_item_knows_those_above_it_alone(evaluator, items):
    before = np.array(evaluator(items, IS_VALID))
    changed = items.copy()
    changed[0, 2] += 1
    after = np.array(evaluator(changed, IS_VALID))
    np.testing.assert_array_equal(after[0, :2], before[0, :2])
    assert (np.abs(after[0, 2:] - before[0, 2:]) > 1e-3).all()


def test_its_configuration_travels(evaluator):
    again = OrderEvaluator.from_config(evaluator.get_config())
    assert again.get_config() == evaluator.get_config()
