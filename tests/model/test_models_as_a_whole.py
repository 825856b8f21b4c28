"""PSAD and PRM keep to what layers keep to; half precision finds sound orders."""

import keras
import numpy as np
import pytest
from backend_tools import compiled
from layer_checks import check_files, check_model, run
from model_cases import TINY, awake, make_batch, tiny

from psad_tf.baselines.prm import PRM
from psad_tf.decoding import beam_search
from psad_tf.model import PSAD, build_psad

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]
POLICIES = ["mixed_float16", "mixed_bfloat16"]


@pytest.mark.parametrize("make", [PSAD, PRM])
def test_models_keep_to_the_contract_of_layers(make):
    inputs, _ = make_batch(TINY, [6, 3, 1])
    check_model(lambda **kwargs: make(TINY, **kwargs), (inputs,))


def half(model, policy):
    """The same weights, computing in half precision."""
    twin = PSAD(model.config, dtype=policy)
    twin.build()
    twin.set_weights(model.get_weights())
    return twin


def losses_of(model, inputs, label):
    found = model.joint_loss(label, inputs["candidate_is_valid"], model(inputs))
    return {name: np.array(part) for name, part in found.items()}


@pytest.mark.parametrize("policy", POLICIES)
def test_half_precision_makes_no_ties(policy):
    """Scores and logits are finer than its steps: 24 candidates, 24 of each."""
    config = tiny(list_length=24)
    model = half(awake(build_psad(config)), policy)
    inputs, label = make_batch(config, [24] * 8)
    outputs, is_valid = model(inputs), inputs["candidate_is_valid"]
    order = model.target_order(label, is_valid, outputs["scores"])
    logits, _ = model.teach(order, is_valid, outputs["states"])
    for values in (*np.array(outputs["scores"]), *np.array(logits)[:, 0]):
        assert len(set(values.tolist())) == 24


@pytest.mark.parametrize("policy", POLICIES)
def test_in_half_precision_losses_and_orders_are_sound(policy):
    # With all slots refined, none of them is chosen by a narrow margin.
    config = tiny(refine_size=4)
    model = awake(build_psad(config))
    twin = half(model, policy)
    inputs, label = make_batch(config, COUNTS)
    expected = losses_of(model, inputs, label)
    for name, part in losses_of(twin, inputs, label).items():
        assert part.dtype == np.float32
        np.testing.assert_allclose(part, expected[name], rtol=0.1, atol=0.1)
    order, log_p = (np.array(x) for x in beam_search(twin, inputs))
    assert np.isfinite(log_p).all()
    for row, count in zip(order, COUNTS, strict=True):
        items = row[: min(count, 4)].tolist()
        assert len(set(items)) == len(items) and set(items) <= set(range(count))


def test_bfloat16_trains():
    keras.utils.set_random_seed(0)
    model = PSAD(TINY, dtype="mixed_bfloat16")
    model.build()
    model.compile(keras.optimizers.Adam(0.03), run_eagerly=True)
    inputs, label = make_batch(TINY, COUNTS)
    history = model.fit(inputs, label, epochs=8, verbose=0).history
    loss = np.ravel(history["loss"])
    assert np.isfinite(loss).all() and loss[-1] < 0.8 * loss[0]


@pytest.mark.parametrize("policy", ["float32", *POLICIES])
def test_large_weights_and_features_stay_finite(policy):
    """Attention that is sure of itself, and features far out of their usual range."""
    model = half(awake(build_psad(TINY), scale=3.0), policy)
    inputs, label = make_batch(TINY, COUNTS)
    inputs["candidate_dense"] = inputs["candidate_dense"] * 100.0
    for name, part in losses_of(model, inputs, label).items():
        assert np.isfinite(part).all(), name
    assert np.isfinite(np.array(beam_search(model, inputs)[1])).all()


def test_compiled_losses_are_those_of_eager():
    model = awake(build_psad(TINY))
    inputs, label = make_batch(TINY, COUNTS)

    def joint(inputs, label):
        outputs = model(inputs)
        return model.joint_loss(label, inputs["candidate_is_valid"], outputs)

    found = compiled(joint, inputs, label)(inputs, label)
    for name, part in joint(inputs, label).items():
        np.testing.assert_allclose(found[name], part, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{"position": "table", "interaction": "late_fusion"}, {"interaction": "none"}],
    ids=str,
)
def test_file_round_trips_keep_every_choice(changes):
    config = tiny(**changes)
    inputs, _ = make_batch(config, COUNTS)
    model = awake(build_psad(config))
    check_files(model, (inputs,), run(model, (inputs,)))


def test_a_compiled_model_keeps_configuration_and_orders_in_its_file(tmp_path):
    model = awake(build_psad(TINY))
    model.compile(keras.optimizers.Adam(1e-3))
    inputs, _ = make_batch(TINY, COUNTS)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.config == TINY
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = build_psad(TINY)
    fresh.load_weights(tmp_path / "model.weights.h5")
    for other in (loaded, fresh):
        for found, expected in zip(
            beam_search(other, inputs), beam_search(model, inputs), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
