import math

import numpy as np
import pytest
from keras import ops

from psad_tf.baselines.attention_rank import attention_rank_loss
from psad_tf.masking import mask_logits


def loss_of(scores, label, is_valid=None):
    scores, label = (np.array([x], "float32") for x in (scores, label))
    valid = np.ones_like(label, bool) if is_valid is None else np.array([is_valid])
    return float(
        np.array(
            attention_rank_loss(*map(ops.convert_to_tensor, (scores, label, valid)))
        )[0]
    )


def in_loops(scores, label):
    due = [math.exp(y) if y > 0 else 0.0 for y in label]
    found = [math.exp(s) for s in scores]
    loss = 0.0
    for a, p in zip(due, found, strict=True):
        a, p = a / sum(due), p / sum(found)
        loss -= a * math.log(p) + (1 - a) * math.log(1 - p)
    return loss


def test_one_click_among_two_even_scores():
    # a = (1, 0), p = (1/2, 1/2): -log(1/2) for either.
    assert loss_of([0, 0], [1, 0]) == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("label", [[1, 0, 1, 0], [0, 2, 1, 0], [1, 1, 1, 1]])
def test_it_is_the_equation(label):
    scores = [0.3, -1.2, 2.0, 0.7]
    assert loss_of(scores, label) == pytest.approx(in_loops(scores, label), rel=1e-5)


def test_padding_is_not_there():
    scores, label = [0.3, -1.2, 2.0], [1, 0, 1]
    padded = [*scores, 50.0], [*label, 1], [True, True, True, False]
    assert loss_of(*padded) == pytest.approx(in_loops(scores, label), rel=1e-5)


def test_scores_that_are_surely_wrong_still_have_their_exact_loss():
    # p = (1 - e^-200, e^-200) against a = (0, 1): 200 for each of the two.
    assert loss_of([100, -100], [0, 1]) == pytest.approx(400)


@pytest.mark.parametrize("label", [[0, 0, 0], [0, 0, 9]])
def test_a_list_without_a_click_says_nothing(label):
    assert loss_of([1, 2, 3], label, [True, True, False]) == 0


def test_the_only_item_cannot_be_misplaced():
    masked = mask_logits(np.array([5, 7], "float32"), np.array([True, False]))
    assert loss_of(np.array(masked), [1, 0], [True, False]) == 0
