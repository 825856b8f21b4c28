"""NAR4Rec: what it raises and lowers, and which of its lists it takes."""

import keras
import numpy as np
import pytest
from model_cases import TINY, arrays, awake, make_batch, tensors

from psad_tf import metrics
from psad_tf.baselines.matching import contrastive_orders, cosines, matching_logits
from psad_tf.baselines.nar4rec import NAR4Rec, unlikelihood_loss, utility
from psad_tf.bench.evaluate import order_of_scores

COUNTS = [6, 5, 3, 2, 1, 6]
VALID = np.arange(6) < np.array(COUNTS)[:, None]
SHOWN = np.where(np.arange(4) < np.array(COUNTS)[:, None], np.arange(4), -1)


def made(**options):
    keras.utils.set_random_seed(0)
    model = NAR4Rec(TINY, **options)
    model.build()
    return awake(model)


@pytest.fixture(scope="module")
def model():
    return made(alphas=(0.0, 0.5, 0.9))


@pytest.fixture
def logits():
    values = np.random.default_rng(0).normal(size=(6, 4, 6)) * 2
    return np.where(VALID[:, None], values, -1e9).astype("float32")


@pytest.mark.parametrize("by", ["list", "item"])
def test_unlikelihood_is_the_plain_loop(logits, by):
    random = np.random.default_rng(1)
    is_good = random.random((6, 4 if by == "item" else 1)) < 0.5
    found = unlikelihood_loss(logits, SHOWN, VALID, is_good)
    for row, count in enumerate(COUNTS):
        terms = []
        for j in range(min(count, 4)):
            p = np.exp(logits[row, j, :count]) / np.exp(logits[row, j, :count]).sum()
            if is_good[row, j if by == "item" else 0]:
                terms.append(-np.log(p[j]))
            elif count > 1:
                terms.append(-np.log(1 - p[j]))
        expected = np.mean(terms) if terms else 0
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-6)


def test_what_is_all_but_certain_can_still_be_lowered():
    # 1 - P is e^-40, which float32 cannot tell from 0 next to P.
    logits = np.array([[[40.0, 0.0, -1e9]]], "float32")
    is_valid = np.array([[True, True, False]])
    loss = unlikelihood_loss(logits, np.array([[0]]), is_valid, np.array([[False]]))
    np.testing.assert_allclose(loss, [40.0], rtol=1e-6)


def test_utility_is_the_ndcg_of_the_list_as_shown():
    label = ((np.random.default_rng(2).random((6, 6)) < 0.5) & VALID).astype("float32")
    expected = metrics.ndcg(label, -np.tile(np.arange(6.0), (6, 1)), VALID, 4)
    found = utility(SHOWN, label, VALID)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(set(np.round(expected, 3))) > 2


def test_a_list_at_the_threshold_is_raised(logits):
    inputs, _ = make_batch(TINY, [6, 6])
    # Clicks at the top are worth 1; one in second place 1 / log2(3) = 0.63.
    label = np.array([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], "float32")
    losses = {
        threshold: np.array(
            made(threshold=threshold, isotropy_weight=0.0).list_loss(inputs, label)
        )
        for threshold in (0.6, 0.7)
    }
    assert losses[0.6][0] == pytest.approx(losses[0.7][0])
    assert losses[0.6][1] != pytest.approx(losses[0.7][1], rel=0.01)
    # The lists' clicks do not count otherwise: as a whole both are raised.
    swapped = made(threshold=0.6, isotropy_weight=0.0).list_loss(inputs, label[::-1])
    np.testing.assert_allclose(swapped, losses[0.6], rtol=1e-5)


def test_items_are_raised_by_their_own_clicks():
    inputs, label = make_batch(TINY, COUNTS)
    model = made(feedback="item", isotropy_weight=0.0)
    logits = matching_logits(*model.generator(inputs), inputs["candidate_is_valid"])
    expected = unlikelihood_loss(logits, SHOWN, VALID, label[:, :4] > 0)
    np.testing.assert_allclose(model.list_loss(inputs, label), expected, rtol=1e-5)


@pytest.mark.parametrize("discounted", [False, True])
def test_the_evaluator_picks_the_list_of_the_greatest_value(discounted):
    model = made(alphas=(0.0, 0.5, 0.9), discounted=discounted)
    inputs, _ = make_batch(TINY, [6] * 32)
    is_valid = inputs["candidate_is_valid"]
    states, places = model.generator(inputs)
    p = keras.ops.softmax(matching_logits(states, places, is_valid))
    orders = np.array(contrastive_orders(p, cosines(states), is_valid, model.alphas))
    value = model.evaluator.value(inputs, orders, discounted)
    best = np.array(value).argmax(axis=1)
    found = order_of_scores(np.array(model(inputs)), np.array(is_valid))
    np.testing.assert_array_equal(found[:, :4], orders[np.arange(32), best])
    assert len(set(best)) > 1


def test_candidates_are_a_set(model):
    inputs, _ = make_batch(TINY, [6] * 8)
    turned = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        turned[name] = turned[name][:, ::-1].copy()
    found = np.array(model(tensors(turned)))[:, ::-1]
    np.testing.assert_allclose(found, model(inputs), atol=1e-5)


def test_one_alpha_needs_no_evaluator():
    inputs, _ = make_batch(TINY, [6] * 8)
    model = made(alphas=(0.5,))
    before = np.array(model(inputs))
    awake(model.evaluator, seed=1)
    np.testing.assert_array_equal(model(inputs), before)


def test_options_travel(model):
    model = made(feedback="item", threshold=0.7, alphas=(0.1, 0.4), discounted=True)
    other = NAR4Rec.from_config(model.get_config())
    assert other.get_config() == model.get_config()
    assert other.alphas == (0.1, 0.4)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="feedback='user'"):
        NAR4Rec(TINY, feedback="user")
    with pytest.raises(ValueError, match="alphas=\\(1.5,\\)"):
        NAR4Rec(TINY, alphas=(1.5,))
