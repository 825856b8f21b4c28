import numpy as np
import pytest
from keras import ops
from model_cases import TINY, arrays, awake, make_batch, tensors

from psad_tf.baselines.midnn import MiDNN, global_extension
from psad_tf.baselines.registry import build_reranker

COUNTS = [6, 5, 3, 1]


def make(**kwargs):
    return awake(build_reranker("midnn", TINY, **kwargs))


def extended(vectors, is_valid=None):
    vectors = np.array(vectors, "float32")[None]
    is_valid = np.ones(vectors.shape[1], bool) if is_valid is None else is_valid
    return np.array(global_extension(vectors, np.array([is_valid])))[0]


def test_each_number_lies_between_the_lists_lowest_and_highest():
    found = extended(
        [[1, 5, -2], [3, 5, 0], [2, 5, 2], [99, -99, 99]], [True, True, True, False]
    )
    np.testing.assert_allclose(
        found, [[0, 0, 0], [1, 0, 0.5], [0.5, 0, 1], [0, 0, 0]], atol=1e-6
    )


def test_units_do_not_matter():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        extended(vectors * [2, 10, 0.1] + [1, -3, 0]), extended(vectors), atol=1e-5
    )


def test_candidates_that_are_alike_to_rounding_are_alike():
    assert (extended([[1.0], [1.0 + 2e-7], [1.0]]) == 0).all()


def test_a_list_of_one_has_nothing_above_it():
    assert (extended([[3.0, -1.0], [8.0, 8.0]], [True, False]) == 0).all()


def test_scores_are_those_of_the_equations():
    model = make()
    random = np.random.default_rng(1)
    mean, variance = random.normal(size=16), random.uniform(0.5, 2, 16)
    model.norm.moving_mean.assign(mean)
    model.norm.moving_variance.assign(variance)
    inputs, _ = make_batch(TINY, COUNTS)
    vectors, scores = np.array(model.items(inputs)), np.array(model(inputs))
    gamma, beta = (w.numpy() for w in (model.norm.gamma, model.norm.beta))
    for b, count in enumerate(COUNTS):
        listed = vectors[b, :count]
        low, high = listed.min(axis=0), listed.max(axis=0)
        for i, x in enumerate(listed):
            above = (x - low) / np.where(high > low, high - low, 1)
            state = np.concatenate([x, above])
            state = gamma * (state - mean) / np.sqrt(variance + 1e-3) + beta
            for layer in model.hidden:
                kernel, bias = (w.numpy() for w in layer.weights)
                state = np.maximum(state @ kernel + bias, 0)
            kernel, bias = (w.numpy() for w in model.score.weights)
            expected = (state @ kernel + bias)[0]
            np.testing.assert_allclose(scores[b, i], expected, rtol=1e-3, atol=1e-4)


def test_statistics_are_of_the_candidates_alone():
    model = make()
    inputs, _ = make_batch(TINY, COUNTS)
    is_valid = np.array(inputs["candidate_is_valid"])
    items = np.array(model.items(inputs))
    states = np.concatenate(
        [items, np.array(global_extension(items, is_valid))], axis=-1
    )[is_valid]
    model(inputs, training=True)
    # From 0 and 1, a tenth of the way.
    np.testing.assert_allclose(
        model.norm.moving_mean, 0.1 * states.mean(axis=0), atol=1e-4
    )
    np.testing.assert_allclose(
        model.norm.moving_variance, 0.9 + 0.1 * states.var(axis=0), atol=1e-4
    )


def test_the_initial_order_does_not_matter():
    model = make()
    inputs, _ = make_batch(TINY, [6, 6])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, ::-1].copy()
    found = np.array(model(tensors(moved)))[:, ::-1]
    np.testing.assert_allclose(found, model(inputs), atol=1e-4)


@pytest.mark.parametrize("loss", ["bce", "softmax"])
def test_probabilities_are_what_the_log_loss_gives(loss):
    model = make(loss=loss)
    inputs, label = make_batch(TINY, [6])
    scores, label = np.array(model(inputs))[0], label[0]
    found = np.array(model.list_loss(inputs, ops.convert_to_tensor(label[None])))
    if loss == "bce":
        p = 1 / (1 + np.exp(-scores))
        expected = -np.mean(label * np.log(p) + (1 - label) * np.log(1 - p))
    else:
        shares = np.exp(scores) / np.exp(scores).sum()
        expected = -np.log(shares[label > 0]).mean()
    np.testing.assert_allclose(found, [expected], rtol=1e-3)
    assert model.gives_probabilities == (loss == "bce")


def test_unknown_loss_is_named():
    with pytest.raises(ValueError, match="loss='hinge'; choose one of"):
        MiDNN(TINY, loss="hinge")
