"""Losses against eq 6 to 9, as printed and as amended, on lists with padding."""

import math
from itertools import product

import numpy as np
import pytest
from loss_equations import cross_entropies, eq_6, eq_7, eq_8, eq_9, eq_10, hinge

from psad_tf import losses, targets

RANDOM = np.random.default_rng(11)
B, T, M = 4, 3, 5
LABEL = np.array(
    [[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], "float32"
)
COUNTS = [5, 4, 2, 1]
IS_VALID = np.arange(M) < np.array(COUNTS)[:, None]
LOGITS = RANDOM.normal(size=(B, T, M)).astype("float32")
SCORES = np.where(IS_VALID, RANDOM.normal(size=(B, M)), -1e9).astype("float32")
ORDER = [[0, 2, 1], [0, 1, 2], [0, 1, -1], [0, -1, -1]]
KINDS = ["bce", "softmax", "clicks"]
REDUCTIONS = ["mean", "sum"]
ON = ["logits", "probabilities"]


def remains_of(block_size):
    """The candidates each slot may choose: as tensors, and as lists."""
    order = np.array(ORDER, "int32")
    found = np.array(targets.remaining(order, IS_VALID, block_size))
    lists = [[np.flatnonzero(slot).tolist() for slot in row] for row in found]
    return found, lists


def clicked(b):
    return [bool(y) for y in LABEL[b]]


@pytest.mark.parametrize("block_size", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_generation_loss_is_eq_6(kind, block_size):
    tensor, lists = remains_of(block_size)
    slots = np.array([[1, 2, 4]])  # Not all: refinement gives those it predicts.
    own = np.array(ORDER)[..., None] == np.arange(M)
    its = [[[item] for item in row] for row in ORDER]
    forms = product([True, False], ON, [0.0, 1.0, 0.25], REDUCTIONS)
    for is_own, *form in forms:  # Whether a slot learns from its own item alone.
        counts = own if is_own else None
        found = losses.generation_loss(
            LOGITS, LABEL, tensor, slots, kind, counts, *form
        )
        expected = [
            eq_6(
                LOGITS[b],
                clicked(b),
                lists[b],
                slots[0] + 1,
                kind,
                its[b] if is_own else None,
                *form,
            )
            for b in range(B)
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-4, err_msg=(is_own, *form))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_scorer_loss_is_eq_7(kind, reduction):
    found = losses.scorer_loss(SCORES, LABEL, IS_VALID, kind, reduction)
    expected = [
        eq_7(SCORES[b, :count], clicked(b)[:count], kind, reduction)
        for b, count in enumerate(COUNTS)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("on", ON)
def test_teacher_scores_are_eq_8(on):
    tensor, lists = remains_of(1)
    found = np.array(losses.teacher_scores(LOGITS, tensor, on))
    expected = [eq_8(LOGITS[b], lists[b], on) for b in range(B)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("on", ON)
def test_distillation_loss_is_eq_9(on, temperature):
    tensor, _ = remains_of(1)
    teacher = np.array(losses.teacher_scores(LOGITS, tensor, on))
    found = losses.distillation_loss(teacher, SCORES, IS_VALID, temperature, on)
    expected = [
        eq_9(teacher[b, :count], SCORES[b, :count], temperature, on)
        for b, count in enumerate(COUNTS)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_the_references_by_hand():
    """Logits 0 are probabilities 1/2, and log 3 is 3/4."""
    half, three = math.log(2), math.log(4 / 3)
    logits, clicks = [0.0, math.log(3)], [False, True]
    assert cross_entropies(logits, clicks, "clicks") == pytest.approx([0, three])
    assert cross_entropies(logits, clicks, "bce") == pytest.approx([half, three])
    assert cross_entropies(logits, clicks, "softmax") == pytest.approx([three])
    assert hinge([0.5, 0.75], clicks) == pytest.approx(1 - 0.75 + 0.5)
    assert hinge([0.5, 0.75], [True, True]) == 0
    # Both slots hold the same: w is 1 and 1 / log2 3.
    both = eq_6(
        [logits] * 2, clicks, [[0, 1]] * 2, [1, 2], "clicks", None, *ON[1:], 1, "sum"
    )
    assert both == pytest.approx((1 + 1 / math.log2(3)) * (three + 0.75))
    # Slot 1 gives (1/4, 3/4), slot 2 only the first candidate remains.
    first, second = math.e**-1, math.e**-2
    teacher = eq_8([logits] * 2, [[0, 1], [0]], "logits")
    expected = np.array([first / 4 + second, 0.75 * first]) / (first + second)
    assert teacher == pytest.approx(expected)
    kl = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert eq_9([0.25, 0.75], [1.0, 1.0], 1.0, "logits") == pytest.approx(kl)
    assert eq_10(1.0, 2.0, 4.0, 8.0, weight=1.0, alpha=0.5) == 11
