"""The whole model: its parts, its gradients, its invariances, its files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_checks import gradients
from model_cases import TINY, arrays, awake, make_batch, tensors, tiny

from psad_tf.decoding import beam_search
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
    assert scores.std(axis=1).min() > 0.1


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


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"refine_size": 0},
        {"refine_size": 4},
        {"block_size": 1},
        {"block_size": 4},
        {"block_size": 3, "num_layers": 1},
        {"position": "table", "position_placement": "weights"},
        {"personal_gate": False, "personal_position": False},
        {"scorer_loss": "softmax", "distill_from": "probabilities"},
        {"hinge_on": "probabilities", "loss_reduction": "sum"},
        {"candidate_dense_size": 0, "history_dense_size": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("training", [True, False])
def test_every_choice_gives_finite_losses_and_gradients(changes, training):
    """Also for lists without click, all clicked, one candidate, none; no history."""
    config = tiny(**changes)
    model = make(**changes)
    inputs, label = make_batch(config, [6, 6, 3, 1, 1, 0], [0, 5, 3, 0, 1, 0])
    label[0], label[1], label[3:5, 0] = 0, 1, (1, 0)
    parts = joint(model, inputs, label, training)
    assert set(parts) == {"loss", *PARTS}
    for name, part in parts.items():
        assert np.isfinite(part).all(), name
        assert part.shape == (6,)
    weights = model.trainable_weights
    found = gradients(weights, lambda: joint(model, inputs, label, training)["loss"])
    assert all(np.isfinite(g).all() for g in found)


def test_loss_is_eq_10():
    model = make(distillation_weight=0.3)
    parts = joint(model, *make_batch(TINY, COUNTS))
    expected = parts["generation"] + parts["refinement"] + parts["scorer"]
    np.testing.assert_allclose(
        parts["loss"], expected + 0.3 * parts["distillation"], rtol=1e-6
    )


def test_distillation_moves_the_student_alone():
    model = make()
    inputs, label = make_batch(TINY, COUNTS)

    def largest(weights, part):
        found = gradients(weights, lambda: joint(model, inputs, label)[part])
        return max(np.abs(g).max() for g in found)

    assert largest(model.decoder.trainable_weights, "distillation") == 0
    assert largest(model.scorer.head.trainable_weights, "distillation") > 0
    assert largest(model.scorer.encoder.trainable_weights, "distillation") > 0
    for part in ("generation", "refinement"):
        assert largest(model.scorer.head.trainable_weights, part) == 0
        assert largest(model.decoder.trainable_weights, part) > 0
    assert largest(model.decoder.trainable_weights, "scorer") == 0


def test_distillation_reaches_the_states_through_the_student_alone():
    """With the scores cut off from the states, no gradient is left."""
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    outputs = model(inputs)
    states = tf.convert_to_tensor(outputs["states"])
    with tf.GradientTape() as tape:
        tape.watch(states)
        cut = {"scores": outputs["scores"], "states": states}
        parts = model.joint_loss(label, inputs["candidate_is_valid"], cut)
    assert tape.gradient(parts["distillation"], states) is None


def test_what_stands_in_the_padding_does_not_matter():
    model = make()
    inputs, label = make_batch(TINY, COUNTS, seed=1)
    other = arrays(make_batch(TINY, COUNTS, seed=2)[0])
    mixed = arrays(inputs)
    for place in ("candidate", "history"):
        is_valid = mixed[f"{place}_is_valid"][..., None]
        for name in (f"{place}_ids", f"{place}_dense"):
            mixed[name] = np.where(is_valid, mixed[name], other[name])
    mixed = tensors(mixed)
    np.testing.assert_allclose(
        scores_of(model, mixed), scores_of(model, inputs), atol=1e-5
    )
    for name, part in joint(model, inputs, label).items():
        found = joint(model, mixed, label)[name]
        np.testing.assert_allclose(found, part, atol=1e-5)
    np.testing.assert_array_equal(
        beam_search(model, mixed)[0], beam_search(model, inputs)[0]
    )


def widened(model, config):
    """The same model for longer tensors: positions keep their distance."""
    wide = build_psad(config)
    more = config.history_length + config.list_length
    more -= model.config.history_length + model.config.list_length
    grown = config.list_length - model.config.list_length
    for mine, its in zip(wide.weights, model.weights, strict=True):
        value = its.numpy()
        if its.path.endswith("position_values"):
            last_layer = "bias_1" in its.path
            value = np.pad(value, (more, grown if last_layer else more))
        mine.assign(value)
    return wide


def test_how_much_padding_there_is_does_not_matter():
    model = make()
    config = tiny(list_length=9, history_length=8)
    wide = widened(model, config)
    inputs, label = make_batch(TINY, COUNTS)
    padded = arrays(inputs)
    for name, value in padded.items():
        if name != "user_ids":
            extra = [(0, 0), (0, 3)] + [(0, 0)] * (value.ndim - 2)
            padded[name] = np.pad(value, extra)
    padded, padded_label = tensors(padded), np.pad(label, ((0, 0), (0, 3)))
    found = scores_of(wide, padded)
    np.testing.assert_allclose(found[:, :6], scores_of(model, inputs), atol=1e-5)
    np.testing.assert_array_equal(found[:, 6:], np.float32(-1e9))
    for name, part in joint(model, inputs, label).items():
        np.testing.assert_allclose(
            joint(wide, padded, padded_label)[name], part, atol=1e-5
        )
    np.testing.assert_array_equal(
        beam_search(wide, padded)[0], beam_search(model, inputs)[0]
    )


def test_candidates_that_move_with_their_positions_keep_their_scores():
    """With a table of positions, permuting both candidates and rows changes nothing."""
    model = make(position="table", num_layers=1)
    inputs, _ = make_batch(TINY, [6, 6], [5, 3])
    before = scores_of(model, inputs)
    move = np.array([3, 0, 5, 1, 4, 2])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, move]
    assert np.abs(scores_of(model, tensors(moved)) - before[:, move]).max() > 1e-3
    (table,) = [w for w in model.weights if w.path.endswith("position_values")]
    columns = np.concatenate([np.arange(5), 5 + move])
    table.assign(table.numpy().reshape(6, 11)[move][:, columns].ravel())
    np.testing.assert_allclose(
        scores_of(model, tensors(moved)), before[:, move], atol=1e-5
    )


def test_without_positions_permuting_candidates_permutes_scores():
    model = make(personal_position=False)
    for weight in model.weights:
        if weight.path.endswith("position_values"):
            weight.assign(np.zeros(weight.shape))
    inputs, _ = make_batch(TINY, [6, 6], [5, 3])
    move = np.array([3, 0, 5, 1, 4, 2])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, move]
    np.testing.assert_allclose(
        scores_of(model, tensors(moved)), scores_of(model, inputs)[:, move], atol=1e-5
    )


def test_file_round_trips(tmp_path):
    model = make()
    model.compile(keras.optimizers.Adam(1e-3))
    inputs, _ = make_batch(TINY, COUNTS)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.config == TINY
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = build_psad(TINY)
    fresh.load_weights(tmp_path / "model.weights.h5")
    for other in (loaded, fresh):
        np.testing.assert_array_equal(
            scores_of(other, inputs), scores_of(model, inputs)
        )
        for found, expected in zip(
            beam_search(other, inputs), beam_search(model, inputs), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
