"""Which order the generator is given, and what a slot learns from it."""

import keras
import numpy as np
import pytest
from backend_tools import input_gradient
from model_cases import TINY, awake, make_batch, tiny

from psad_tf import losses, targets
from psad_tf.model import PSAD, build_psad

KINDS = ["bce", "softmax", "clicks"]
COUNTS = [6, 5, 3, 1]
RANDOM = np.random.default_rng(2)


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def clicked_first(label, count, slots=4):
    """A list's clicked items as shown, then the others: a loop."""
    order = sorted(range(count), key=lambda i: label[i] == 0)
    return (order + [-1] * slots)[:slots]


def as_shown(count, slots=4):
    return (list(range(count)) + [-1] * slots)[:slots]


def test_the_first_slots_shares_are_the_softmax_of_the_scores():
    size, scores = 40_000, np.array([0.3, -1.2, 2.0, 0.9, 5.0], "float32")
    is_valid = np.tile([True, True, True, True, False], (size, 1))
    draw = np.random.default_rng(1).random((size, 5)).astype("float32")
    order = targets.sampled_order(np.tile(scores, (size, 1)), is_valid, 2, draw)
    first, second = np.array(order).T
    expected = softmax(scores[:4])
    shares = np.bincount(first, minlength=5) / size
    # Four deviations of a share of 40,000 draws are at most 0.01.
    np.testing.assert_allclose(shares, [*expected, 0], atol=0.01)
    # Of the second slot: over each first item, what is left renormalised.
    after = [
        sum(expected[f] * expected[i] / (1 - expected[f]) for f in range(4) if f != i)
        for i in range(4)
    ]
    shares = np.bincount(second, minlength=5) / size
    np.testing.assert_allclose(shares, [*after, 0], atol=0.01)


def test_draws_at_the_very_ends_are_orders_too():
    scores = np.array([[0, 0, 0]], "float32")
    draw = np.array([[0.0, 1 - 2**-24, 0.5]], "float32")
    order = targets.sampled_order(scores, np.array([[True, True, False]]), 3, draw)
    np.testing.assert_array_equal(order, [[1, 0, -1]])


def target_orders(kind, training, rounds=1):
    """The model's orders for `COUNTS`, int `[rounds, batch, slate]`; clicks, scores."""
    keras.utils.set_random_seed(0)
    config = tiny(target_order=kind)
    model = PSAD(config)
    inputs, label = make_batch(config, COUNTS)
    is_valid = inputs["candidate_is_valid"]
    scores = np.random.default_rng(3).normal(size=label.shape).astype("float32")
    found = [
        np.array(model.target_order(label, is_valid, scores, training))
        for _ in range(rounds)
    ]
    return np.array(found), label, scores


@pytest.mark.parametrize("training", [True, False])
def test_exposed_is_the_order_shown_always(training):
    found, *_ = target_orders("exposed", training, rounds=2)
    expected = [as_shown(count) for count in COUNTS]
    np.testing.assert_array_equal(found, [expected] * 2)


@pytest.mark.parametrize(("kind", "training"), [("shown", True), ("shuffled", False)])
def test_what_is_not_drawn_is_clicked_first(kind, training):
    found, label, _ = target_orders(kind, training, rounds=2)
    expected = [clicked_first(y, n) for y, n in zip(label, COUNTS, strict=True)]
    np.testing.assert_array_equal(found, [expected] * 2)


def test_sampled_out_of_training_is_by_the_scores_alone():
    found, _, scores = target_orders("sampled", False, rounds=2)
    expected = [
        (sorted(range(n), key=lambda i, x=x: -x[i]) + [-1] * 4)[:4]
        for x, n in zip(scores, COUNTS, strict=True)
    ]
    np.testing.assert_array_equal(found, [expected] * 2)


def test_shuffled_keeps_clicks_first_and_draws_the_rest_anew():
    found, label, _ = target_orders("shuffled", True, rounds=8)
    assert len({order.tobytes() for order in found[:, 0]}) > 1
    for b, count in enumerate(COUNTS):
        clicks = int(label[b].sum())
        for order in found[:, b]:
            placed = [i for i in order if i >= 0]
            assert len(set(placed)) == min(count, 4) == len(placed)
            is_click = [bool(label[b, i]) for i in placed]
            assert is_click == [j < clicks for j in range(len(placed))]


def test_sampled_follows_the_students_scores_not_the_clicks():
    keras.utils.set_random_seed(0)
    config = tiny(target_order="sampled")
    inputs, _ = make_batch(config, [3] * 512)
    is_valid = inputs["candidate_is_valid"]
    # The student is sure of 2, 0, 1; only the last was clicked.
    scores = np.tile([[50.0, 0, 100, 0, 0, 0]], (512, 1)).astype("float32")
    label = np.tile([[0.0, 1, 0, 0, 0, 0]], (512, 1)).astype("float32")
    order = PSAD(config).target_order(label, is_valid, scores, training=True)
    np.testing.assert_array_equal(order, [[2, 0, 1, -1]] * 512)


def test_a_slot_is_taught_what_the_blocks_before_it_have_left():
    model = awake(build_psad(TINY))
    inputs, _ = make_batch(TINY, [3])
    is_valid, states = inputs["candidate_is_valid"], model(inputs)["states"]
    order = np.array([[2, 0, 1, -1]], "int32")
    logits, remains = model.teach(order, is_valid, states)
    # Two slots a block: 2 and 0 are gone for the second one; the last has no item.
    np.testing.assert_array_equal(
        np.array(remains)[0, :, :3],
        [[True] * 3, [True] * 3, [False, True, False], [False] * 3],
    )
    assert not np.array(remains)[0, :, 3:].any()
    # The first block is taught before anything is placed, the second after 2 and 0.
    changed, _ = model.teach(order[:, [0, 2, 1, 3]], is_valid, states)
    np.testing.assert_allclose(logits[:, :2], changed[:, :2], atol=1e-6)
    assert np.abs(np.array(logits[:, 2:]) - np.array(changed[:, 2:])).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_own", [True, False])
def test_click_losses_against_a_loop(kind, is_own):
    logits = RANDOM.normal(size=(3, 4, 5)).astype("float32")
    label = (RANDOM.random((3, 1, 5)) < 0.5).astype("float32")
    remains = RANDOM.random((3, 4, 5)) < 0.7
    counts = RANDOM.random((3, 4, 5)) < 0.5 if is_own else None
    found, is_term = losses.click_losses(logits, label, remains, kind, counts)
    for b, j, i in np.ndindex(3, 4, 5):
        left = [k for k in range(5) if remains[b, j, k]]
        is_click, logit = label[b, 0, i] > 0, logits[b, j, i]
        is_in = i in left and (counts is None or counts[b, j, i])
        p = 1 / (1 + np.exp(-logit))
        if kind == "softmax":
            expected, is_in = 0.0, is_in and is_click
            if is_in:
                expected = -np.log(softmax(logits[b, j, left])[left.index(i)])
        else:
            expected = -np.log(p if is_click else 1 - p) * is_in
            expected *= is_click or kind == "bce"
        np.testing.assert_allclose(found[b, j, i], expected, atol=1e-5)
        assert bool(is_term[b, j, i]) == is_in


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", ["bce", "clicks"])
def test_exposed_a_slot_learns_from_the_item_shown_in_it_alone(kind, reduction):
    label = np.array([[1, 0, 0, 1]], "float32")
    order = np.array([[0, 1, 2, -1]], "int32")
    is_valid = np.array([[True, True, True, False]])
    remains = targets.remaining(order, is_valid, 2)
    counts = np.array([[[i == o for i in range(4)] for o in order[0]]])
    logits = RANDOM.normal(size=(1, 4, 4)).astype("float32")

    def loss(x):
        return losses.generation_loss(
            x,
            label,
            remains,
            np.arange(4)[None],
            kind,
            counts,
            "logits",
            1.0,
            reduction,
        )

    slopes = input_gradient(loss, logits)[0]
    assert not slopes[~counts[0]].any()
    # d/dx of the cross-entropy is p - y, weighed by the slot; the hinge needs a pair.
    weights = 1 / np.log2(np.arange(3) + 2)
    p = 1 / (1 + np.exp(-np.diagonal(logits[0])[:3]))
    expected = weights * (p - label[0, :3])
    if kind == "clicks":
        expected *= label[0, :3]
    if reduction == "mean":
        expected /= weights.sum()
    np.testing.assert_allclose(np.diagonal(slopes)[:3], expected, atol=1e-6)


def test_exposed_a_softmax_weighs_the_item_shown_against_what_remains():
    """The one form in which others have a slope: they share the probability."""
    label, order = np.array([[1, 0, 0]], "float32"), np.array([[0, 1, 2]], "int32")
    remains = targets.remaining(order, np.ones((1, 3), bool), 1)
    counts, logits = np.eye(3, dtype=bool)[None], RANDOM.normal(size=(1, 3, 3))
    logits = logits.astype("float32")
    slopes = input_gradient(
        lambda x: losses.generation_loss(
            x, label, remains, np.arange(3)[None], "softmax", counts, reduction="sum"
        ),
        logits,
    )[0]
    np.testing.assert_allclose(slopes[0], softmax(logits[0, 0]) - label[0], atol=1e-6)
    assert not slopes[1:].any()


def test_the_models_loss_does_not_look_at_other_clicks_when_exposed():
    """Clicks past the slots the items stand in change the scorer's loss, not eq 6."""
    config = tiny(target_order="exposed", refine_size=2, hinge_weight=1.0)
    model = awake(build_psad(config))
    inputs, label = make_batch(config, [6, 6])
    other = label.copy()
    other[:, 4:] = 1 - other[:, 4:]  # Slots are four.
    found, changed = (
        model.joint_loss(y, inputs["candidate_is_valid"], model(inputs))
        for y in (label, other)
    )
    for part in ("generation", "refinement"):
        np.testing.assert_allclose(found[part], changed[part], rtol=1e-6)
    assert (
        np.abs(np.array(found["scorer"]) - np.array(changed["scorer"])) > 1e-3
    ).all()
