"""EG-Rerank's generator: a set of items goes in."""

import numpy as np
import pytest
from keras import ops
from model_cases import awake

from psad_tf.baselines.pointer_policy import PointerPolicy

DIM, LENGTH, SLATE = 3, 5, 3
IS_VALID = ops.convert_to_tensor(np.arange(LENGTH) < np.array([[5], [3]]))


@pytest.fixture(scope="module")
def policy():
    layer = PointerPolicy(DIM, num_layers=2, num_decoder_layers=1, ffn_dim=6)
    layer.build()
    return awake(layer, seed=3, scale=2.0)


@pytest.fixture(scope="module")
def items():
    random = np.random.default_rng(4)
    return random.normal(size=(2, LENGTH, DIM)).astype("float32")


def test_where_an_item_stands_in_the_input_counts_for_nothing(policy, items):
    turn = np.array([3, 0, 4, 2, 1])
    order = np.array(policy.choose(items[:1], IS_VALID[:1], SLATE).order)[0, 0]
    other = policy.choose(items[:1, turn], IS_VALID[:1], SLATE).order
    assert turn[np.array(other)[0, 0]].tolist() == order.tolist()


def test_the_decoder_begins_with_the_mean_of_the_items_that_are_there(policy, items):
    states, (mean, memory) = policy._encode(items, IS_VALID)
    expected = [np.array(states)[0].mean(axis=0), np.array(states)[1, :3].mean(axis=0)]
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    np.testing.assert_array_equal(memory, np.zeros((2, DIM)))


def test_states_are_the_mlps(policy, items):
    states = items.astype("float64")
    for layer in policy.hidden:
        kernel, bias = (ops.convert_to_numpy(w) for w in layer.weights)
        states = np.maximum(states @ kernel + bias, 0)
    kernel, bias = (ops.convert_to_numpy(w) for w in policy.out.weights)
    found, _ = policy._encode(items, IS_VALID)
    np.testing.assert_allclose(found, states @ kernel + bias, atol=1e-5)


def test_following_an_order_sees_what_choosing_it_saw(policy, items):
    chosen = policy.choose(items, IS_VALID, SLATE)
    followed = policy(items, chosen.order, IS_VALID)
    np.testing.assert_allclose(followed.logits, chosen.logits, atol=1e-5)


def test_its_configuration_travels(policy):
    again = PointerPolicy.from_config(policy.get_config())
    assert again.get_config() == policy.get_config()
