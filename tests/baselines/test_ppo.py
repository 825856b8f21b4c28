"""PPO for orders: hand-worked numbers, and what the clip does to gradients."""

import numpy as np
import pytest
from backend_tools import input_gradient
from keras import ops

from psad_tf.baselines.pointer_decoder import Paths
from psad_tf.baselines.ppo import advantages, choices, clipped_gain

# One list, one path of two places among three items; the second is the list's last.
REMAINS = np.array([[[[True, True, False], [False, True, False], [False] * 3]]])
ORDER = np.array([[[0, 1, -1]]], "int32")


def paths(logits):
    return Paths(ORDER, ops.reshape(logits, (1, 1, 3, 3)), REMAINS)


def test_choices_by_hand():
    logits = np.log([[3.0, 1.0, 9.0], [5.0, 7.0, 9.0], [1.0, 1.0, 1.0]])
    log_p, entropy = choices(paths(logits.astype("float32")))
    # 0 is taken with 3 of 4, then 1 because nothing else is left, then nothing.
    np.testing.assert_allclose(log_p, [[[np.log(0.75), 0.0, 0.0]]], atol=1e-6)
    expected = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(entropy, [[[expected, 0.0, 0.0]]], atol=1e-6)


def test_gradients_of_choices_stay_within_what_remains():
    logits = np.zeros((3, 3), "float32")
    # d log p_0 = (1 - p_0, -p_1): nothing for what is gone and where all is decided.
    found = input_gradient(lambda x: choices(paths(x))[0], logits)
    np.testing.assert_allclose(found, [[0.5, -0.5, 0], [0] * 3, [0] * 3], atol=1e-6)
    # Two equal shares are the most there can be.
    found = input_gradient(lambda x: choices(paths(x))[1], logits)
    np.testing.assert_allclose(found, np.zeros((3, 3)), atol=1e-6)


def test_advantages_by_hand():
    # Of two orders, worth from each place on with gamma 1/2: 1 + 1/2, 1 and 0, 0.
    reward = np.array([[[1.0, 1.0], [0.0, 0.0]]], "float32")
    found = advantages(reward, 0.5)
    np.testing.assert_allclose(found, [[[1, 1], [-1, -1]]], atol=1e-4)
    # Three orders: 4, 2, 0 at the first place have the mean 2, the deviation sqrt(8/3).
    reward = np.array([[[4.0, 0.0], [2.0, 0.0], [0.0, 0.0]]], "float32")
    found = np.array(advantages(reward, 0.9))
    np.testing.assert_allclose(found[0, :, 0], [1.5**0.5, 0, -(1.5**0.5)], atol=1e-4)
    # All are worth the same from the second place on.
    np.testing.assert_array_equal(found[0, :, 1], [0, 0, 0])


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_what_is_to_come_counts_by_its_distance(gamma):
    random, slate = np.random.default_rng(0), 4
    reward = random.random((3, 5, slate)).astype("float32")
    found = advantages(reward, gamma)
    for row in range(3):
        for t in range(slate):
            worth = np.array(
                [
                    sum(gamma ** (u - t) * reward[row, s, u] for u in range(t, slate))
                    for s in range(5)
                ]
            )
            expected = (worth - worth.mean()) / (worth.std() + 1e-6)
            np.testing.assert_allclose(found[row, :, t], expected, atol=1e-3)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gain", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),
        (1.5, 2.0, 2.2, 0.0),  # Likelier already: no more of it.
        (0.5, 2.0, 1.0, 2.0),  # Less likely than it was: back.
        (0.5, -2.0, -1.8, 0.0),
        (1.5, -2.0, -3.0, -2.0),
    ],
)
def test_the_clip_by_hand(ratio, advantage, gain, slope):
    def function(x):
        return clipped_gain(x, np.float32(advantage), 0.1)

    x = np.array(ratio, "float32")
    np.testing.assert_allclose(function(ops.convert_to_tensor(x)), gain, rtol=1e-6)
    np.testing.assert_allclose(input_gradient(function, x), slope, rtol=1e-6)
