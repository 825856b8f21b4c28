"""Every layer keeps to the shared contract, in every form it has."""

import numpy as np
import pytest
from layer_checks import check_layer
from model_cases import TINY, make_batch, tiny

from psad_tf.layers.attention_block import AttentionBlock
from psad_tf.layers.candidate_decoder import CandidateDecoder
from psad_tf.layers.feature_embedding import FeatureEmbedding
from psad_tf.layers.late_fusion import LateFusion
from psad_tf.layers.list_encoder import ListEncoder
from psad_tf.layers.position_bias import PersonalizedPositionBias
from psad_tf.layers.scorer import Scorer
from psad_tf.layers.scoring_network import ScoringNetwork
from psad_tf.layers.shared_encoder import SharedEncoder
from psad_tf.layers.user_profile_gate import UserProfileGate

RANDOM = np.random.default_rng(3)
IS_VALID = np.array([[True, True, True, False], [True, False, False, False]])


def floats(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def test_feature_embedding():
    ids = np.array([[[1, 2, 3], [4, 5, 0]]], "int32")
    check_layer(
        lambda **k: FeatureEmbedding(6, 4, (1, 2), (1, 4), **k), (ids,), (1, 2, 8)
    )


@pytest.mark.parametrize("gated", [True, False])
def test_user_profile_gate(gated):
    inputs = floats(2, 4, 6), floats(2, 5)
    check_layer(lambda **k: UserProfileGate(gated, **k), inputs, (2, 4, 6))


def test_late_fusion():
    inputs = floats(2, 4, 6), floats(2, 5)
    check_layer(lambda **k: LateFusion(**k), inputs, (2, 4, 6))


@pytest.mark.parametrize(("kind", "personal"), [("relative", True), ("table", False)])
def test_position_bias(kind, personal):
    def make(**kwargs):
        return PersonalizedPositionBias(3, 5, kind, personal=personal, **kwargs)

    check_layer(make, (floats(2, 4),), (2, 3, 5))


@pytest.mark.parametrize("placement", ["logits", "weights"])
def test_attention_block(placement):
    inputs = floats(2, 3, 8), floats(2, 4, 8), IS_VALID[:, None], floats(2, 3, 4)
    check_layer(
        lambda **k: AttentionBlock(2, 16, placement=placement, **k), inputs, (2, 3, 8)
    )


@pytest.mark.parametrize(
    ("position", "placement", "candidates"),
    [("relative", "logits", "set"), ("table", "weights", "sequence")],
)
def test_shared_encoder(position, placement, candidates):
    def make(**kwargs):
        return SharedEncoder(
            2,
            2,
            16,
            3,
            position=position,
            placement=placement,
            candidates=candidates,
            **kwargs,
        )

    inputs = floats(2, 4, 8), IS_VALID, floats(2, 5)
    check_layer(make, inputs, (2, 3, 8))


def test_candidate_decoder():
    inputs = (
        floats(2, 4, 8),
        IS_VALID,
        np.array([[0, 1, 2], [0, 1, 2]], dtype="int32"),
        np.array([[2, 0, 1], [0, -1, -1]], dtype="int32"),
        np.repeat(np.tril(np.ones((1, 3, 3), bool), -1), 2, axis=0),
        np.repeat(np.eye(3, dtype=bool)[None], 2, axis=0),
    )
    check_layer(lambda **k: CandidateDecoder(3, 2, 2, 16, **k), inputs, (2, 3, 4))


def test_scoring_network():
    check_layer(lambda **k: ScoringNetwork(8, **k), (floats(2, 4, 8), IS_VALID), (2, 4))


@pytest.mark.parametrize("interaction", ["gate", "late_fusion"])
def test_list_encoder(interaction):
    config = tiny(interaction=interaction, personal_position=interaction == "gate")
    # Ids that are everywhere: a row of the table nobody asks for has no gradient.
    inputs, _ = make_batch(config, [6, 3, 1])
    check_layer(lambda **k: ListEncoder(config, **k), (inputs,), (3, 6, 8))


def test_scorer():
    inputs, _ = make_batch(TINY, [6, 3, 1])
    check_layer(lambda **k: Scorer(TINY, **k), (inputs,), (3, 6))
