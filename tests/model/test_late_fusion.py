"""Late fusion: by a loop, and where in the encoder it stands."""

import math

import numpy as np
import pytest
from model_cases import arrays, awake, make_batch, tensors, tiny, weight_of

from psad_tf.layers.late_fusion import LateFusion
from psad_tf.layers.list_encoder import ListEncoder

RANDOM = np.random.default_rng(5)
STATES = RANDOM.normal(size=(2, 3, 4)).astype("float32")
USER = RANDOM.normal(size=(2, 5)).astype("float32")


def gelu(x):
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def test_each_state_against_a_loop_over_numbers():
    layer = LateFusion()
    layer(STATES, USER)
    awake(layer)
    own = weight_of(layer, "state_part/kernel"), weight_of(layer, "state_part/bias")
    users = weight_of(layer, "user_part/kernel")
    found = np.array(layer(STATES, USER))
    for b in range(2):
        for i in range(3):
            for d in range(4):
                total = own[1][d]
                total += sum(STATES[b, i, k] * own[0][k, d] for k in range(4))
                total += sum(USER[b, k] * users[k, d] for k in range(5))
                expected = STATES[b, i, d] + gelu(total)
                assert found[b, i, d] == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope="module")
def encoder():
    config = tiny(interaction="late_fusion", personal_position=False)
    layer = ListEncoder(config)
    layer.build()
    return awake(layer)


def test_the_profile_comes_in_after_the_encoder_and_nowhere_else(encoder):
    inputs, _ = make_batch(encoder.config, [6, 4], [5, 3])
    other = arrays(inputs)
    other["user_ids"] = other["user_ids"][::-1].copy()
    assert not np.array_equal(other["user_ids"], arrays(inputs)["user_ids"])
    before = []
    fusion, encoder.late_fusion = encoder.late_fusion, None
    for given in (inputs, tensors(other)):
        before.append(np.array(encoder(given)))
    encoder.late_fusion = fusion
    np.testing.assert_array_equal(*before)
    user = encoder.user_embedding(other["user_ids"])
    expected = np.array(fusion(before[0], user))
    found = np.array(encoder(tensors(other)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - np.array(encoder(inputs))).max() > 1e-2


@pytest.mark.parametrize("interaction", ["gate", "concatenation", "none"])
def test_other_interactions_have_no_such_weights(interaction, encoder):
    layer = ListEncoder(tiny(interaction=interaction))
    layer.build()
    assert any("late_fusion" in w.path for w in encoder.weights)
    assert not any("late_fusion" in w.path for w in layer.weights)
    has_gate = any("/gate/" in w.path for w in layer.weights)
    assert has_gate == (interaction != "none")
