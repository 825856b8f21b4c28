"""Eq 6-9 against plain loops."""

import numpy as np
import pytest
import tensorflow as tf

from psad_tf import losses, targets

RANDOM = np.random.default_rng(11)
B, T, M = 4, 3, 5
LABEL = np.array(
    [[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], "float32"
)
IS_VALID = np.arange(M) < np.array([5, 4, 2, 1])[:, None]
LOGITS = RANDOM.normal(size=(B, T, M)).astype("float32")
SCORES = np.where(IS_VALID, RANDOM.normal(size=(B, M)), -1e9).astype("float32")
ORDER = np.array(targets.target_order(LABEL, IS_VALID, T))
REMAINS = np.array(targets.remaining(ORDER, IS_VALID, 1))


def expit(x):
    return 1 / (1 + np.exp(-np.asarray(x, dtype="float64")))


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def cross_entropy(label, logit):
    p = expit(float(logit))
    return -np.log(p) if label else -np.log(1 - p)


def slot_terms(b, j, hinge_on):
    """Cross-entropies and hinge of one slot; None where it has no item."""
    left = [i for i in range(M) if REMAINS[b, j, i]]
    if not left:
        return None
    values = LOGITS if hinge_on == "logits" else expit(LOGITS)
    clicks = [values[b, j, i] for i in left if LABEL[b, i]]
    others = [values[b, j, i] for i in left if not LABEL[b, i]]
    margin = max(0, 1 - min(clicks) + max(others)) if clicks and others else 0
    return [cross_entropy(LABEL[b, i], LOGITS[b, j, i]) for i in left], margin


@pytest.mark.parametrize("hinge_on", ["logits", "probabilities"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("hinge_weight", [1.0, 0.25])
def test_generation_loss_is_eq_6(hinge_on, reduction, hinge_weight):
    found = losses.generation_loss(
        LOGITS,
        LABEL,
        REMAINS,
        np.arange(T)[None],
        hinge_on=hinge_on,
        hinge_weight=hinge_weight,
        reduction=reduction,
    )
    for b in range(B):
        total, weights = 0.0, 0.0
        for j in range(T):
            terms = slot_terms(b, j, hinge_on)
            if terms is not None:
                entropy, margin = terms
                weight = 1 / np.log2(j + 2)
                combine = np.mean if reduction == "mean" else np.sum
                total += weight * (combine(entropy) + hinge_weight * margin)
                weights += weight
        expected = total / weights if reduction == "mean" else total
        np.testing.assert_allclose(found[b], expected, rtol=1e-4)


def test_first_slot_weighs_one_and_third_one_half():
    np.testing.assert_allclose(
        losses.slot_weights(np.array([0, 2])), [1, 0.5], rtol=1e-6
    )


def test_hinge_on_paper():
    label = np.array([[[1, 0, 0]]], "float32")
    values = np.array([[[0.5, 0.2, 3.0]]], "float32")
    seen = np.array([[[True, True, False]]])
    np.testing.assert_allclose(losses.hinge(label, values, seen), [[0.7]], rtol=1e-5)
    alone = np.array([[[True, False, False]]])
    np.testing.assert_array_equal(losses.hinge(label, values, alone), [[0]])


def test_generation_loss_ignores_what_does_not_remain():
    loud = np.where(REMAINS, LOGITS, 7.0)
    args = LABEL, REMAINS, np.arange(T)[None]
    a, b = losses.generation_loss(LOGITS, *args), losses.generation_loss(loud, *args)
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_scorer_bce_is_eq_7_with_both_terms(reduction):
    found = losses.scorer_loss(SCORES, LABEL, IS_VALID, "bce", reduction)
    combine = np.mean if reduction == "mean" else np.sum
    for b in range(B):
        terms = [
            cross_entropy(LABEL[b, i], SCORES[b, i]) for i in range(M) if IS_VALID[b, i]
        ]
        np.testing.assert_allclose(found[b], combine(terms), rtol=1e-4)


def test_scorer_softmax_over_the_list():
    found = losses.scorer_loss(SCORES, LABEL, IS_VALID, "softmax")
    for b in range(B):
        p = softmax(SCORES[b].astype("float64"))
        terms = [-np.log(p[i]) for i in range(M) if LABEL[b, i]]
        expected = np.mean(terms) if terms else 0.0  # No click, nothing to learn.
        np.testing.assert_allclose(found[b], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("on", ["logits", "probabilities"])
def test_teacher_scores_are_eq_8(on):
    found = np.array(losses.teacher_scores(LOGITS, REMAINS, on))
    for b in range(B):
        total, weights = np.zeros(M), 0.0
        for j in range(T):
            left = REMAINS[b, j]
            if left.any():
                values = LOGITS[b, j] if on == "logits" else expit(LOGITS[b, j])
                weight = np.exp(-(j + 1))
                total[left] += weight * softmax(values[left])
                weights += weight
        np.testing.assert_allclose(found[b], total / weights, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("on", ["logits", "probabilities"])
def test_distillation_loss_is_eq_9(on, temperature):
    teacher = np.array(losses.teacher_scores(LOGITS, REMAINS, on))
    found = losses.distillation_loss(teacher, SCORES, IS_VALID, temperature, on)
    for b in range(B):
        left = IS_VALID[b]
        scores = SCORES[b, left].astype("float64")
        if on == "logits":
            p = teacher[b, left] ** (1 / temperature)
            p, q = p / p.sum(), softmax(scores / temperature)
        else:
            p = softmax(teacher[b, left] / temperature)
            q = softmax(expit(scores) / temperature)
        expected = sum(p * np.log(p / q))
        np.testing.assert_allclose(found[b], expected, rtol=1e-3, atol=1e-6)


def test_a_student_that_agrees_has_nothing_to_learn():
    teacher = np.array(losses.teacher_scores(LOGITS, REMAINS))
    scores = np.where(IS_VALID, np.log(np.maximum(teacher, 1e-9)) + 3, -1e9)
    found = losses.distillation_loss(teacher, scores.astype("float32"), IS_VALID)
    np.testing.assert_allclose(found, np.zeros(B), atol=1e-6)


def test_mean_over_lists_weighs_lists():
    loss = np.array([1.0, 4.0], "float32")
    assert float(losses.mean_over_lists(loss)) == 2.5
    assert float(losses.mean_over_lists(loss, np.array([3, 1]))) == 1.75


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_every_loss_has_finite_gradients_whatever_the_list(scale):
    """No click, all clicked, one candidate, no candidate; huge logits."""
    label = np.array([[0, 0], [1, 1], [1, 0], [0, 0]], "float32")
    is_valid = np.array([[True, True], [True, True], [True, False], [False, False]])
    remains = np.array(
        targets.remaining(
            np.array(targets.target_order(label, is_valid, 2)), is_valid, 1
        )
    )
    raw = np.array([[[1, -1], [-1, 1]]] * 4, "float32") * scale
    logits, scores = tf.Variable(raw), tf.Variable(raw[:, 0])
    with tf.GradientTape() as tape:
        masked = losses.mask_logits(scores, is_valid)
        parts = [
            losses.generation_loss(logits, label, remains, np.arange(2)[None], on)
            for on in ("logits", "probabilities")
        ]
        parts += [
            losses.scorer_loss(masked, label, is_valid, k) for k in ("bce", "softmax")
        ]
        parts += [
            losses.distillation_loss(
                losses.teacher_scores(logits, remains, on), masked, is_valid, 0.5, on
            )
            for on in ("logits", "probabilities")
        ]
        total = tf.add_n(parts)
    assert np.isfinite(total).all()
    for gradient in tape.gradient(total, [logits, scores]):
        assert np.isfinite(gradient).all()
    np.testing.assert_allclose(total[3], 0, atol=1e-6)  # An empty list costs nothing.
