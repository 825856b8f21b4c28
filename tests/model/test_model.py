"""The whole model: its parts, its choices, and where its gradients go."""

import numpy as np
import pytest
from backend_tools import gradients, input_gradient
from keras import ops
from model_cases import TINY, awake, make_batch, tiny

from psad_tf.model import PARTS, PSAD, build_psad

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]


def make(**changes):
    return awake(build_psad(tiny(**changes)))


def joint(model, inputs, label, training=False):
    outputs = model(inputs, training=training)
    return model.joint_loss(label, inputs["candidate_is_valid"], outputs, training)


def scores_of(model, inputs):
    return np.array(model.scorer(inputs))


def test_the_candidates_of_the_cases_differ():
    """Else what follows would hold for a model that sees nothing."""
    scores = scores_of(make(), make_batch(TINY, [6, 6, 6])[0])
    assert scores.std(axis=1).min() > 0.02


def test_sizes_are_known_from_the_configuration():
    model, other = build_psad(TINY), PSAD(TINY)
    other(make_batch(TINY, COUNTS)[0])

    def shapes(model):
        return [(w.path.split("/", 1)[1], w.shape) for w in model.weights]

    assert shapes(model) == shapes(other)


def test_the_scorer_is_the_models_scores_and_holds_no_decoder_weight():
    model = make()
    inputs, _ = make_batch(TINY, COUNTS)
    np.testing.assert_array_equal(model(inputs)["scores"], scores_of(model, inputs))
    theirs = {id(w) for w in model.scorer.weights}
    assert not theirs & {id(w) for w in model.decoder.weights}
    assert len(theirs) + len(model.decoder.weights) <= len(model.weights)


CHOICES = (
    {},
    {"refine_size": 0, "target_order": "shuffled"},
    {"refine_size": 4, "block_size": 1},
    {"block_size": 4, "target_order": "sampled", "candidates": "ranked"},
    {"target_order": "exposed", "hinge_weight": 1.0},
    {"block_size": 3, "num_layers": 1, "generation_loss": "clicks"},
    {"position": "table", "position_placement": "weights", "scorer_loss": "clicks"},
    {"interaction": "none", "personal_position": False, "candidates": "set"},
    {"interaction": "late_fusion", "generation_loss": "softmax"},
    {"scorer_loss": "softmax", "distill_from": "probabilities"},
    {"hinge_on": "probabilities", "hinge_weight": 1.0, "loss_reduction": "sum"},
    {"candidate_dense_size": 0, "history_dense_size": 0},
)


@pytest.mark.parametrize("changes", CHOICES, ids=str)
def test_every_choice_gives_finite_losses_and_gradients(changes):
    """Also for lists without click, all clicked, one candidate, none; no history."""
    config = tiny(**changes)
    model = make(**changes)
    inputs, label = make_batch(config, [6, 6, 3, 1, 1, 0], [0, 5, 3, 0, 1, 0])
    label[0], label[1], label[3:5, 0] = 0, 1, (1, 0)
    for training in (True, False):
        parts = joint(model, inputs, label, training)
        assert set(parts) == {"loss", *PARTS}
        for name, part in parts.items():
            assert np.isfinite(part).all(), name
            assert part.shape == (6,)
    weights = model.trainable_weights
    found = gradients(weights, lambda: joint(model, inputs, label, True)["loss"])
    assert all(np.isfinite(g).all() for g in found)


def test_loss_is_eq_10():
    model = make(distillation_weight=0.3, generation_weight=0.7)
    parts = joint(model, *make_batch(TINY, COUNTS))
    expected = 0.7 * (parts["generation"] + parts["refinement"]) + parts["scorer"]
    np.testing.assert_allclose(
        parts["loss"], expected + 0.3 * parts["distillation"], rtol=1e-6
    )


def test_each_part_teaches_its_branch_and_distillation_the_student_alone():
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    decoder, head = model.decoder, model.scorer.head
    weights = model.trainable_weights
    largest = {}
    for part in PARTS:
        found = gradients(weights, lambda p=part: joint(model, inputs, label)[p])
        size = {id(w): np.abs(g).max() for w, g in zip(weights, found, strict=True)}
        for layer in (decoder, head, model.scorer.encoder):
            sizes = [size[id(w)] for w in layer.trainable_weights]
            largest[part, layer.name] = max(sizes)
    for part in PARTS:
        is_teacher = part in ("generation", "refinement")
        assert (largest[part, decoder.name] > 0) == is_teacher
        assert (largest[part, head.name] > 0) == (not is_teacher)
        assert largest[part, model.scorer.encoder.name] > 0


def test_distillation_reaches_the_states_through_the_student_alone():
    """With the scores cut off from the states, no gradient is left."""
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    outputs = model(inputs)

    def part(name):
        def cut(states):
            given = {"scores": outputs["scores"], "states": states}
            return model.joint_loss(label, inputs["candidate_is_valid"], given)[name]

        return input_gradient(cut, outputs["states"])

    np.testing.assert_array_equal(part("distillation"), 0)
    assert np.abs(part("generation")).max() > 0


@pytest.mark.parametrize("interaction", ["gate", "none"])
def test_the_profile_learns_through_the_gate_and_not_through_positions(interaction):
    """Eq 13 fits positions to the profile as it is: sg(P_u)."""
    model = make(interaction=interaction)
    inputs, label = make_batch(TINY, COUNTS)
    profile = [w for w in model.trainable_weights if "/user_embedding/" in w.path]
    found = gradients(profile, lambda: joint(model, inputs, label)["loss"])
    assert found
    assert all((np.abs(g).max() > 0) == (interaction == "gate") for g in found)
    changed = dict(inputs, user_ids=inputs["user_ids"][::-1])
    moved = scores_of(model, changed) - scores_of(model, inputs)
    assert np.abs(moved).max() > 1e-3  # What it is still moves the scores.


def test_with_nothing_else_distillation_alone_brings_the_student_to_the_teacher():
    """At its minimum, 0, the student's softmax is the teacher's p̂."""
    # The teacher's order must not move with the scores that the student is given.
    model = make(target_order="shown")
    inputs, label = make_batch(TINY, [6] * 4)
    is_valid, outputs = inputs["candidate_is_valid"], model(inputs)
    order = model.target_order(label, is_valid, outputs["scores"])
    logits, remains = model.teach(order, is_valid, outputs["states"])
    shares = ops.softmax(ops.where(remains, logits, -1e9))
    weights = np.exp(-np.arange(4.0)) / np.exp(-np.arange(4.0)).sum()
    teacher = np.einsum("bjm,j->bm", np.array(shares), weights)
    agreed = {"scores": np.log(teacher).astype("float32"), "states": outputs["states"]}
    found = model.joint_loss(label, is_valid, agreed)["distillation"]
    np.testing.assert_allclose(found, np.zeros(4), atol=1e-5)
