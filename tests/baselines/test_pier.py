"""PIER as a whole: which order wins, and what the loss is made of."""

import keras
import numpy as np
import pytest
from backend_tools import gradients, quick
from keras import ops
from model_cases import TINY, awake, make_batch, tiny

from psad_tf.baselines.pier import PIER
from psad_tf.baselines.registry import build_reranker

COUNTS = [6, 4, 1, 2]


@pytest.fixture(scope="module", params=[6, 8], ids=["all orders", "beam"])
def model(request):
    keras.utils.set_random_seed(3)
    config = tiny(list_length=request.param, slate_length=3)
    return awake(build_reranker("pier", config, keep=4, contrast=0.5), seed=4)


@pytest.fixture(scope="module")
def lists(model):
    return make_batch(model.config, COUNTS, seed=5, click_rate=0.5)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.array(x, "float64")))


def clicks(model, encoded, order):
    logits = model.prediction(encoded.items, encoded.fields, order, encoded.known)
    return np.where(np.array(order) >= 0, sigmoid(logits), 0.0)


@pytest.mark.parametrize("worth", ["mean", "discounted"])
def test_the_order_worth_most_of_the_nearest_wins(model, lists, worth):
    inputs, _ = lists
    encoded = model._encode(inputs, False)
    order, is_real = (np.array(x) for x in encoded.nearest)
    p = clicks(model, encoded, encoded.nearest[0])
    model.worth = worth
    ranked = np.argsort(-np.array(model(inputs)), axis=1)
    model.worth = "discounted"
    discount = 1 / np.log2(np.arange(3) + 2) if worth == "discounted" else np.ones(3)
    for row, count in enumerate(COUNTS):
        best = max(np.flatnonzero(is_real[row]), key=lambda i: p[row, i] @ discount)
        way = [i for i in order[row, best].tolist() if i >= 0]
        assert len(way) == min(count, 3)
        rest = sorted(
            set(range(count)) - set(way), key=lambda i: -encoded.scores[row, i]
        )
        assert ranked[row, :count].tolist() == way + rest


def test_the_loss_is_the_sum_of_its_three_parts(model, lists):
    inputs, label = lists
    found = quick(lambda x: model.list_loss(x, label))(inputs)
    encoded = model._encode(inputs, False)
    length = model.config.list_length
    shown = np.where(
        np.arange(length) < np.array(COUNTS)[:, None], np.arange(length), -1
    )
    order = ops.convert_to_tensor(shown[:, None].astype("int32"))
    as_shown, alone = clicks(model, encoded, order)[:, 0], sigmoid(encoded.scores)
    sides = []
    for orders, is_real in (encoded.nearest, encoded.farthest):
        p, has_item = clicks(model, encoded, orders), np.array(orders) >= 0
        means = p.sum(axis=2) / np.maximum(has_item.sum(axis=2), 1)
        is_real = np.array(is_real)
        sides.append([m[there].mean() for m, there in zip(means, is_real, strict=True)])
    for row, count in enumerate(COUNTS):
        y = np.array(label)[row, :count]
        expected = 0.0
        for p in (as_shown[row, :count], alone[row, :count]):
            expected -= np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        expected -= 0.5 * (sides[0][row] - sides[1][row])
        np.testing.assert_allclose(found[row], expected, rtol=1e-4)


def test_all_weights_learn_but_the_projections(model):
    config = model.config
    inputs, label = make_batch(config, [config.list_length] * 4, [5] * 4, seed=7)
    weights = model.trainable_variables
    assert not any("projections" in w.path for w in weights)
    found = gradients(weights, lambda: model.list_loss(inputs, label))
    assert not [w.path for w, g in zip(weights, found, strict=True) if not np.any(g)]


def test_dense_features_are_a_field_of_their_own(model, lists):
    encoded = model._encode(lists[0], False)
    length, dim = model.config.list_length, TINY.embedding_dim
    assert encoded.fields.shape == (4, length, len(TINY.item_widths) + 1, dim)
    expected = model.shown(lists[0]["candidate_dense"])
    np.testing.assert_allclose(encoded.fields[:, :, -1], expected, atol=1e-6)


def test_unknown_worths_are_refused():
    with pytest.raises(ValueError, match="worth='best'"):
        PIER(TINY, worth="best")
