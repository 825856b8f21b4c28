"""The rate of every step on paper, and one step of AdamW in plain NumPy."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_cases import SURE, weights

from psad_tf import training
from psad_tf.errors import ConfigError
from psad_tf.model import build_psad
from psad_tf.training_config import TrainingConfig
from psad_tf.training_distribution import new_model, strategy_of
from psad_tf.training_optimizer import WarmUp, learning_rate, optimizer


def rates(steps, **choices):
    schedule = learning_rate(TrainingConfig(learning_rate=0.8, **choices), steps)
    return [float(schedule(step)) for step in range(steps + 2)]


def test_linear_falls_by_the_same_each_step():
    expected = [0.8, 0.6, 0.4, 0.2, 0, 0]
    np.testing.assert_allclose(rates(4, schedule="linear"), expected, atol=1e-7)


def test_cosine_is_half_way_in_the_middle():
    half = 0.4 * (1 + math.cos(math.pi / 4))
    expected = [0.8, half, 0.4, 0.8 - half, 0, 0]
    np.testing.assert_allclose(rates(4, schedule="cosine"), expected, atol=1e-7)
    assert rates(4) == rates(4, schedule="cosine")


def test_constant_stays():
    np.testing.assert_allclose(rates(4, schedule="constant"), [0.8] * 6)


@pytest.mark.parametrize(
    ("schedule", "after"),
    [
        ("constant", [0.8, 0.8, 0.8, 0.8]),
        ("linear", [0.8, 0.4, 0, 0]),
        ("cosine", [0.8, 0.4, 0, 0]),
    ],
)
def test_a_warm_up_rises_evenly_and_the_schedule_has_what_is_left(schedule, after):
    found = rates(6, schedule=schedule, warmup_steps=4)
    np.testing.assert_allclose(found, [0.2, 0.4, 0.6, 0.8, *after], atol=1e-7)


def test_a_warm_up_survives_saving():
    schedule = learning_rate(TrainingConfig(warmup_steps=3), 10)
    packed = keras.optimizers.schedules.serialize(schedule)
    twin = keras.optimizers.schedules.deserialize(packed)
    assert isinstance(twin, WarmUp)
    assert [float(twin(i)) for i in range(11)] == [
        float(schedule(i)) for i in range(11)
    ]


def test_a_warm_up_longer_than_the_training_is_refused():
    with pytest.raises(ConfigError, match="warmup_steps=10.*less than the 10 steps"):
        optimizer(TrainingConfig(warmup_steps=10), 10)
    assert optimizer(TrainingConfig(warmup_steps=9), 10).global_clipnorm == 1.0


def gradients_of(model, inputs, label):
    """The whole gradient of each weight; a row that came in pieces is their sum."""
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, label, outputs)
    values = []
    for weight, found in zip(
        model.trainable_weights,
        tape.gradient(loss, model.trainable_weights),
        strict=True,
    ):
        value = np.zeros(weight.shape)
        if isinstance(found, tf.IndexedSlices):
            np.add.at(value, found.indices.numpy(), found.values.numpy())
        else:
            value += found.numpy()
        values.append(value)
    return values


@pytest.mark.parametrize("table_updates", ["dense", "lazy"])
def test_a_step_is_adamws_with_the_norm_of_the_whole_gradient_clipped(
    table_updates, lists, eager
):
    config = TrainingConfig(
        learning_rate=0.01,
        schedule="constant",
        weight_decay=0.1,
        clip_norm=0.05,
        table_updates=table_updates,
    )
    keras.utils.set_random_seed(0)
    model = build_psad(SURE)
    model.compile(optimizer(config, 10), jit_compile=False)
    ((inputs, label),) = lists(range(8)).once()
    before, gradients = weights(model), gradients_of(model, inputs, label)
    model.train_on_batch(inputs, label)
    norm = math.sqrt(sum(np.sum(g**2) for g in gradients))
    assert norm > config.clip_norm
    for weight, old, g in zip(model.trainable_weights, before, gradients, strict=True):
        g = g * config.clip_norm / norm
        m, v = 0.1 * g, 0.001 * g**2
        change = m * (math.sqrt(0.001) / 0.1) / (np.sqrt(v) + 1e-7)
        is_free = any(
            name in weight.path
            for name in ("bias", "gamma", "beta", "embedding", "position")
        )
        kept = 1.0 if is_free else 1 - 0.01 * 0.1
        expected = kept * old - 0.01 * change
        # Where the gradient is next to nothing, its rounding decides.
        is_clear = (g == 0) | (np.abs(g) > 1e-7)
        np.testing.assert_allclose(
            np.where(is_clear, weight.numpy(), 0),
            np.where(is_clear, expected, 0),
            atol=2e-5,
            err_msg=weight.path,
        )


def test_lazy_updates_are_refused_where_they_would_be_wrong(lists):
    model = build_psad(SURE)
    config = TrainingConfig(table_updates="lazy")
    model.compile(optimizer(config, 10), jit_compile=True)
    ((inputs, label),) = lists(range(2)).once()
    with pytest.raises(ValueError, match="jit_compile=True.*wrong rows.*=False"):
        model.train_on_batch(inputs, label)


@pytest.mark.parametrize(
    ("devices", "table_updates", "is_compiled"),
    [(["a GPU"], "dense", True), (["a GPU"], "lazy", False), ([], "dense", False)],
)
def test_xla_compiles_where_it_helps_and_is_right(
    devices, table_updates, is_compiled, monkeypatch
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: devices)
    model = build_psad(SURE)
    training._compile(model, TrainingConfig(table_updates=table_updates), 10)
    assert model.jit_compile is is_compiled


def test_half_precision_reaches_a_like_loss(eager, lists):
    config = TrainingConfig(batch_size=16, learning_rate=0.01, schedule="constant")
    ((inputs, label),) = lists(range(16), batch_size=16).once()
    found, scaled = {}, set()
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        keras.utils.set_random_seed(1)
        one = dataclasses.replace(config, precision=precision)
        model = new_model(SURE, one, strategy_of(one))
        model.compile(optimizer(one, 6), jit_compile=False)
        assert model.dtype_policy.name == precision
        assert {w.dtype for w in model.trainable_weights} == {"float32"}
        batch = {"x": inputs, "y": label, "return_dict": True}
        steps = [model.train_on_batch(**batch) for _ in range(6)]
        # Keras gives the mean of the steps so far.
        found[precision] = steps[0]["loss"], steps[-1]["loss"]
        if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
            scaled.add(precision)
    # Its numbers end at 65504: losses are scaled, so that gradients are not lost.
    assert scaled == {"mixed_float16"}
    first, mean = found["float32"]
    assert mean < 0.9 * first
    for losses in found.values():
        np.testing.assert_allclose(losses, found["float32"], rtol=0.01)
