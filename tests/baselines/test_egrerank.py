"""EG-Rerank as a whole: who learns what from whom, and when."""

import keras
import numpy as np
import pytest
from backend_tools import IS_JAX, compile_with, gradients
from keras import ops
from model_cases import TINY, awake, make_batch

from psad_tf.baselines.egrerank import EVALUATOR, GENERATOR, EGRerank
from psad_tf.baselines.ppo import advantages
from psad_tf.baselines.registry import build_reranker

COUNTS = [6, 5, 1, 3]
NOBODY = np.zeros((4, 6), "float32")


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return awake(build_reranker("egrerank", TINY, refresh=3, entropy_weight=0.0))


@pytest.fixture(scope="module")
def inputs():
    return make_batch(TINY, COUNTS, seed=5)[0]


def values(layer):
    return [ops.convert_to_numpy(w).copy() for w in layer.weights]


def alike(some, others):
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


def test_the_policy_that_draws_is_renewed_every_few_steps(model, inputs):
    assert not alike(values(model.drawing), values(model.policy))
    renewed = []
    for _ in range(7):
        for weight in model.policy.weights:
            weight.assign(ops.convert_to_tensor(weight) + 0.1)
        model.list_loss(inputs, NOBODY, training=True)
        renewed.append(alike(values(model.drawing), values(model.policy)))
    # Steps 0, 3 and 6.
    assert renewed == [True, False, False, True, False, False, True]


def test_measuring_renews_nothing_and_draws_nothing(model, inputs):
    before = values(model.drawing)
    losses = [np.array(model.list_loss(inputs, NOBODY)) for _ in range(2)]
    np.testing.assert_array_equal(*losses)
    assert alike(values(model.drawing), before)
    assert int(ops.convert_to_numpy(model.steps)) == 0


def test_the_measured_loss_is_minus_the_expected_clicks_of_the_order(model, inputs):
    found = model.list_loss(inputs, NOBODY)
    ranked = np.argsort(-np.array(model(inputs)), axis=1)
    items = np.array(model.items(inputs))
    for row, count in enumerate(COUNTS):
        slate = ranked[row, : min(count, TINY.slate_length)]
        listed = items[row : row + 1, slate]
        logits = np.array(model.evaluator(listed, np.ones(listed.shape[:2], bool)))
        expected = -np.sum(1 / (1 + np.exp(-logits)))
        np.testing.assert_allclose(found[row], expected, rtol=1e-4)


def test_right_after_a_renewal_the_ratio_is_one(model, inputs):
    # Then the loss is minus the mean advantage, which is 0 at each place of a list.
    loss = np.array(model.list_loss(inputs, NOBODY, training=True))
    np.testing.assert_allclose(loss, 0, atol=1e-5)
    for weight in model.policy.weights:
        weight.assign(ops.convert_to_tensor(weight) * 1.3)
    loss = np.array(model.list_loss(inputs, NOBODY, training=True))
    assert np.abs(loss[[0, 1, 3]]).min() > 1e-3
    # A list of one item can only be put in one order.
    np.testing.assert_allclose(loss[2], 0, atol=1e-6)


def test_the_generator_alone_learns_from_the_evaluator(model, inputs):
    def loss():
        return model.list_loss(inputs, NOBODY, training=True, stage=GENERATOR)

    weights = model.variables
    weights = [w for w in weights if "float" in w.dtype and "seed" not in w.path]
    mine = {id(w) for w in model.policy.weights}
    found = gradients(weights, loss)
    for weight, gradient in zip(weights, found, strict=True):
        if id(weight) not in mine:
            assert not np.any(gradient), weight.path
    assert sum(np.abs(g).sum() for g in found) > 1e-3


def test_the_evaluator_learns_clicks_of_lists_as_shown(model, inputs):
    label = (np.arange(6) < np.array(COUNTS)[:, None]).astype("float32")
    found = model.list_loss(inputs, label, stage=EVALUATOR)
    logits = model.evaluator(model.items(inputs), inputs["candidate_is_valid"])
    for row, count in enumerate(COUNTS):
        p = 1 / (1 + np.exp(-np.array(logits)[row, :count]))
        np.testing.assert_allclose(found[row], -np.log(p).mean(), rtol=1e-4)


def test_what_the_evaluator_likes_comes_first_after_training():
    keras.utils.set_random_seed(2)
    model = build_reranker("egrerank", TINY)
    inputs, _ = make_batch(TINY, [6] * 64, seed=6)
    # By decree: the click probability is that of the item's first number.
    value = np.array(inputs["candidate_dense"])[..., 0] * 3

    def clicks(items, order):
        placed = ops.one_hot(order, 6, dtype="float32")
        return ops.sigmoid(ops.einsum("bpti,bi->bpt", placed, value))

    model._clicks = clicks
    model.begin(GENERATOR)
    before = float(np.mean(model.list_loss(inputs, NOBODY)))
    best = -np.sort(1 / (1 + np.exp(-value)), axis=1)[:, -4:].sum(axis=1).mean()
    compile_with(keras.optimizers.Adam(0.01), model, jit_compile=IS_JAX)
    label = np.zeros((64, 6), "float32")
    # One batch in the order of `value`.
    model.fit(inputs, label, batch_size=64, epochs=60, shuffle=False, verbose=0)
    after = float(np.mean(model.list_loss(inputs, NOBODY)))
    assert after < before - 0.5 * (before - best)


def test_advantages_of_equal_orders_are_none():
    assert not np.any(advantages(np.full((2, 5, 3), 0.3, "float32"), 0.01))


def test_its_arguments_travel():
    model = EGRerank(TINY, gamma=0.5, clip=0.2, samples=3, refresh=7)
    again = EGRerank.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert (again.gamma, again.clip, again.samples, again.refresh) == (0.5, 0.2, 3, 7)
