"""What losses keep to, whatever the list; their values are checked in reference/."""

import numpy as np
import pytest
from backend_tools import input_gradient
from keras import ops

from psad_tf import losses, targets

RANDOM = np.random.default_rng(11)
B, T, M = 4, 3, 5
LABEL = np.array(
    [[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], "float32"
)
IS_VALID = np.arange(M) < np.array([5, 4, 2, 1])[:, None]
LOGITS = RANDOM.normal(size=(B, T, M)).astype("float32")
ORDER = np.array([[0, 2, 1], [0, 1, 2], [0, 1, -1], [0, -1, -1]], "int32")
REMAINS = np.array(targets.remaining(ORDER, IS_VALID, 1))
KINDS = ["bce", "softmax", "clicks"]
ON = ["logits", "probabilities"]


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


@pytest.mark.parametrize("kind", KINDS)
def test_generation_loss_ignores_what_does_not_remain(kind):
    loud = np.where(REMAINS, LOGITS, 7.0)
    args = LABEL, REMAINS, np.arange(T)[None], kind
    a, b = losses.generation_loss(LOGITS, *args), losses.generation_loss(loud, *args)
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_scorer_loss_ignores_padding(kind):
    scores = LOGITS[:, 0]
    a, b = (
        losses.scorer_loss(np.where(IS_VALID, scores, pad), LABEL, IS_VALID, kind)
        for pad in (np.float32(-1e9), np.float32(7))
    )
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("kind", ["bce", "clicks"])
def test_as_printed_the_best_scores_are_high_everywhere(kind):
    """Why eq 7 has a second half here: without it nothing pushes a score down."""
    flat = np.full((B, M), 30.0, "float32")
    found = np.array(losses.scorer_loss(flat, LABEL, IS_VALID, kind))
    assert (found < 1e-9).all() == (kind == "clicks")
    slope = input_gradient(
        lambda s: losses.scorer_loss(s, LABEL, IS_VALID, kind), LOGITS[:, 0]
    )
    assert (slope > 0).any() == (kind == "bce")


def test_a_student_that_agrees_has_nothing_to_learn():
    teacher = np.array(losses.teacher_scores(LOGITS, REMAINS))
    scores = np.where(IS_VALID, np.log(np.maximum(teacher, 1e-9)) + 3, -1e9)
    found = losses.distillation_loss(teacher, scores.astype("float32"), IS_VALID)
    np.testing.assert_allclose(found, np.zeros(B), atol=1e-6)


def test_mean_over_lists_weighs_lists():
    loss = np.array([1.0, 4.0], "float32")
    assert float(losses.mean_over_lists(loss)) == 2.5
    assert float(losses.mean_over_lists(loss, np.array([3, 1]))) == 1.75


# No click, all clicked, one candidate, no candidate.
AWKWARD = np.array([[0, 0], [1, 1], [1, 0], [0, 0]], "float32")
AWKWARD_IS_VALID = np.array([[True, True], [True, True], [True, False], [False] * 2])


def every_loss(logits, scores):
    """The sum of all losses in all forms: `[batch]`."""
    label, is_valid = AWKWARD, AWKWARD_IS_VALID
    order = np.array([[0, 1], [0, 1], [0, -1], [-1, -1]], "int32")
    remains = targets.remaining(order, is_valid, 1)
    masked, total, slots = losses.mask_logits(scores, is_valid), 0.0, np.arange(2)[None]
    for kind in KINDS:
        total += losses.scorer_loss(masked, label, is_valid, kind)
        total += losses.generation_loss(logits, label, remains, slots, kind)
    for on in ON:
        teacher = losses.teacher_scores(logits, remains, on)
        total += losses.distillation_loss(teacher, masked, is_valid, 0.5, on)
        total += losses.generation_loss(logits, label, remains, slots, hinge_on=on)
    return total


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_every_loss_has_finite_gradients_whatever_the_list(scale):
    raw = np.array([[[1, -1], [-1, 1]]] * 4, "float32") * scale
    total = every_loss(ops.convert_to_tensor(raw), ops.convert_to_tensor(raw[:, 0]))
    assert np.isfinite(total).all()
    np.testing.assert_allclose(total[3], 0, atol=1e-6)  # An empty list costs nothing.
    for gradient in (
        input_gradient(lambda logits: every_loss(logits, raw[:, 0]), raw),
        input_gradient(lambda scores: every_loss(raw, scores), raw[:, 0]),
    ):
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(gradient[3], 0)
