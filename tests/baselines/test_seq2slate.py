"""Seq2Slate: its loss as a plain loop, its draws, its beam."""

import numpy as np
import pytest
from backend_tools import gradients, quick
from model_cases import TINY, awake, make_batch, tiny

from psad_tf.baselines.registry import build_reranker
from psad_tf.baselines.seq2slate import Seq2Slate

COUNTS = [6, 4, 1, 3]


@pytest.fixture(scope="module")
def model():
    return awake(build_reranker("seq2slate", TINY), seed=4)


@pytest.fixture(scope="module")
def lists():
    return make_batch(TINY, COUNTS, seed=5, click_rate=0.5)


def loss_by_hand(logits, remains, order, label, kind):
    """The sum over places of w_t times the place's loss, over the sum of w_t."""
    total = weights = 0.0
    for place, item in enumerate(order):
        if item < 0:
            continue
        weight = 1 / np.log2(place + 2)
        weights += weight
        left = [i for i in range(len(label)) if remains[place, i]]
        clicks = [i for i in left if label[i] > 0]
        others = [i for i in left if label[i] == 0]
        if kind == "softmax" and clicks:
            shares = np.exp(logits[place, left])
            p = dict(zip(left, shares / shares.sum(), strict=True))
            total += weight * sum(-np.log(p[i]) for i in clicks) / len(clicks)
        if kind == "hinge" and clicks and others:
            lowest = min(logits[place, i] for i in clicks)
            highest = max(logits[place, i] for i in others)
            total += weight * max(0.0, 1 - lowest + highest)
    return total / weights


@pytest.mark.parametrize("kind", ["softmax", "hinge"])
def test_the_loss_is_the_papers_along_the_order_chosen(model, lists, kind):
    inputs, label = lists
    model.loss_kind = kind
    found = quick(lambda x: model.list_loss(x, label))(inputs)
    is_valid = inputs["candidate_is_valid"]
    items, states, start = model._encode(inputs, False)
    paths = model.decoder.choose(items, states, start, is_valid, TINY.slate_length)
    logits, remains, order = (
        np.array(x)[:, 0] for x in (paths.logits, paths.remains, paths.order)
    )
    expected = [
        loss_by_hand(*parts, kind)
        for parts in zip(logits, remains, order, label, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert np.count_nonzero(expected) >= 2
    model.loss_kind = "softmax"


def test_training_draws_an_order_anew_each_time(model, lists):
    inputs, label = lists
    losses = [np.array(model.list_loss(inputs, label, training=True)) for _ in range(2)]
    assert np.abs(losses[0] - losses[1]).max() > 1e-3
    # A list of one item has one order only.
    np.testing.assert_allclose(losses[0][2], losses[1][2], atol=1e-6)


def test_padding_does_not_move_the_encoders_last_state(model, lists):
    inputs, _ = lists
    items, states, (h, _) = (x for x in model._encode(inputs, False))
    for row, count in enumerate(COUNTS):
        np.testing.assert_allclose(h[row], states[row, count - 1], atol=1e-5)


def test_the_initial_order_counts(model):
    inputs, _ = make_batch(TINY, [6] * 8, seed=6)
    turned = {
        k: v[:, ::-1] if k.startswith("candidate") else v for k, v in inputs.items()
    }
    scores, other = np.array(model(inputs)), np.array(model(turned))[:, ::-1]
    assert np.abs(scores - other).max() > 0.5


def test_the_beam_is_at_least_as_likely_as_the_greedy_order(model, lists):
    inputs, _ = lists
    encoded, is_valid = model._encode(inputs, False), inputs["candidate_is_valid"]
    slate = TINY.slate_length
    greedy = model.decoder.choose(*encoded, is_valid, slate).order
    beam, _ = model.decoder.beam_search(*encoded, is_valid, slate, 30)
    likely = []
    for order in (greedy, beam[:, None]):
        paths = model.decoder(*encoded, order, is_valid)
        shares = np.where(paths.remains, np.exp(np.array(paths.logits)), 0.0)[:, 0]
        shares = shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-9)
        order = np.array(order)[:, 0]
        each = np.take_along_axis(shares, np.maximum(order, 0)[..., None], axis=-1)
        likely.append(np.where(order >= 0, each[..., 0], 1.0).prod(axis=1))
    assert (likely[1] >= likely[0] * 0.9999).all()
    ranked = np.argsort(-np.array(model.beam(inputs)), axis=1)[0, :slate]
    assert ranked.tolist() == np.array(beam)[0].tolist()


def test_all_weights_learn(model, lists):
    inputs, label = make_batch(TINY, [6] * 4, [5] * 4, seed=7)
    weights = model.trainable_variables
    found = gradients(weights, lambda: model.list_loss(inputs, label))
    still = [w.path for w, g in zip(weights, found, strict=True) if not np.any(g)]
    assert not still


def test_unknown_losses_are_refused():
    with pytest.raises(ValueError, match="loss='ndcg'"):
        Seq2Slate(tiny(), loss="ndcg")
