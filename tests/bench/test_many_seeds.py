"""Seeds side by side against Keras' own training, one seed at a time."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from tiny_bundle import SIZES, make_bundle

if keras.backend.backend() != "jax":
    pytest.skip("JAX runs this in test_programs_on_jax.py", allow_module_level=True)

from keras import ops
from tiny_trials import one_of

from psad_tf import losses, tensors
from psad_tf.baselines.prm import PRM
from psad_tf.bench.many_seeds import ManySeeds
from psad_tf.bench.stacked import keep_best, on_device
from psad_tf.config import PSADConfig
from psad_tf.training_config import TrainingConfig
from psad_tf.training_optimizer import optimizer

# Nothing is drawn but weights and the order of lists.
CONFIG = PSADConfig.of(
    {
        **SIZES,
        "slate_length": 4,
        "embedding_dim": 4,
        "hidden_dim": 8,
        "num_heads": 1,
        "num_layers": 1,
        "dropout": 0.0,
        "id_dropout": 0.0,
    }
)
# Ten lists: the last batch has two.
TRAINING = TrainingConfig(epochs=2, batch_size=4, learning_rate=0.01)
TRAIN = make_bundle().splits["train"]


def make_prm():
    model = PRM(CONFIG, loss="bce", pretrained=False)
    model.build()
    return model


def prm_loss(model, inputs, label, training):
    is_valid = inputs[tensors.CANDIDATE_IS_VALID]
    return losses.scorer_loss(model(inputs, training=training), label, is_valid)


def make_line():
    """Linear, with dropout, whose draws are each seed's own."""
    layers = keras.layers
    return keras.Sequential([keras.Input((5, 2)), layers.Dropout(0.2), layers.Dense(1)])


def line(model, inputs, training=False):
    return model(inputs[tensors.CANDIDATE_DENSE], training=training)[..., 0]


def line_loss(model, inputs, label, training):
    return ops.mean((line(model, inputs, training) - label) ** 2, axis=1)


def learned(models):
    """What training moves: each `[seeds, ...]`."""
    both = zip(models.model.variables, models.state, strict=True)
    return [value for variable, value in both if variable.trainable]


def by_keras(seed):
    """Trained by Keras on the same batches, and the mean loss of each epoch."""
    keras.utils.set_random_seed(seed)
    model = make_prm()
    model.compile(optimizer(TRAINING, 3 * TRAINING.epochs))
    order, lists, means = np.random.default_rng(seed), on_device(TRAIN), []
    for _ in range(TRAINING.epochs):
        rows, total = order.permutation(10), 0.0
        for batch in (rows[:4], rows[4:8], rows[8:]):
            inputs = {name: lists[name][batch] for name in tensors.INPUTS}
            model.reset_metrics()
            label = lists[tensors.LABEL][batch]
            logs = model.train_on_batch(inputs, label, return_dict=True)
            total += float(logs["loss"]) * len(batch) / 10
        means.append(total)
    return model, means


def test_one_seed_is_keras_own_training():
    expected, means = by_keras(3)
    models = ManySeeds(make_prm, [3, 5])
    started = [np.array(v)[0] for v in learned(models)]
    found = models.train(on_device(TRAIN), TRAINING, prm_loss)
    np.testing.assert_allclose(np.array(found)[:, 0], means, rtol=1e-5)
    assert np.ptp(means) > 0.01
    moved = 0.0
    for weight, value, before in zip(
        expected.trainable_weights, learned(models), started, strict=True
    ):
        np.testing.assert_allclose(value[0], weight, atol=1e-5, err_msg=weight.path)
        moved = max(moved, np.abs(before - np.array(value[0])).max())
    assert moved > 0.01


def test_two_seeds_side_by_side_are_each_alone():
    """Their order of lists and their dropout, too."""
    both = ManySeeds(make_line, [3, 5])
    means = np.array(both.train(on_device(TRAIN), TRAINING, line_loss))
    for index, seed in enumerate((3, 5)):
        alone = ManySeeds(make_line, [seed])
        history = np.array(alone.train(on_device(TRAIN), TRAINING, line_loss))
        np.testing.assert_allclose(means[:, [index]], history, rtol=1e-5)
        for value, expected in zip(both.state, alone.state, strict=True):
            np.testing.assert_allclose(value[index], expected[0], atol=1e-5)
    kernels = learned(both)[0]
    assert np.abs(kernels[0] - kernels[1]).max() > 0.1


def test_the_last_batch_is_filled_and_the_filling_cut_off():
    models, lists = ManySeeds(make_line, [3, 5]), on_device(TRAIN)
    found = models.apply("line", line, lists, batch=4)
    assert found.shape == (2, 10, 5)
    for index in range(2):
        expected = line(one_of(models, index), lists)
        np.testing.assert_allclose(found[index], expected, rtol=1e-5, atol=1e-6)
    # Known by its name, it is not asked for again.
    again = models.apply("line", None, lists, batch=10)
    np.testing.assert_allclose(again, found, rtol=1e-6)


def test_it_stops_when_told_and_weights_can_be_put_back():
    models, epochs = ManySeeds(make_line, [0, 1]), []
    before, kernels = models.copy(), np.array(learned(models)[0])

    def after_epoch(epoch):
        epochs.append(epoch)
        return epoch == 2

    training = TrainingConfig(epochs=5, batch_size=10, learning_rate=0.1)
    assert len(models.train(on_device(TRAIN), training, line_loss, after_epoch)) == 2
    assert epochs == [1, 2]
    assert np.abs(kernels - learned(models)[0]).min() > 0.01
    models.put(before)
    for value, expected in zip(models.state, before, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_a_loss_that_is_not_finite_names_its_seed():
    models = ManySeeds(make_line, [4, 7])
    of_seeds = np.array([1, np.nan]).reshape(2, 1, 1)
    models.put([v * of_seeds if v.ndim == 3 else v for v in models.copy()])
    with pytest.raises(FloatingPointError, match=r"seeds \[7\] .* epoch 1; lower lear"):
        models.train(on_device(TRAIN), TRAINING, line_loss)


def test_the_models_beside_are_read_and_not_moved():
    first = ManySeeds(make_line, [0, 1])
    kept = first.copy()

    def like_first(model, inputs, label, training):
        return ops.mean((line(model, inputs) - line(first.model, inputs)) ** 2, axis=1)

    second = ManySeeds(make_line, [8, 9], beside=[first])
    training = TrainingConfig(200, 10, 0.1, clip_norm=100.0, weight_decay=0.0)
    history = second.train(on_device(TRAIN), training, like_first)
    for value, expected in zip(first.state, kept, strict=True):
        np.testing.assert_array_equal(value, expected)
    # Each has come to its own neighbour.
    np.testing.assert_allclose(learned(second)[0], learned(first)[0], atol=1e-2)
    assert (history[-1] < 1e-4).all() and (history[0] > 1e-2).all()


def test_keep_best_seed_by_seed():
    old, now = [np.zeros((2, 3)), np.zeros(2)], [np.ones((2, 3)), np.ones(2)]
    found = keep_best(old, now, np.array([True, False]))
    np.testing.assert_array_equal(found[0], [[1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(found[1], [1, 0])
    assert keep_best(None, now, np.array([False, False])) is now


def test_rates_side_by_side_are_trainings_of_their_own():
    both = ManySeeds(make_line, [3, 3])
    both.train(on_device(TRAIN), TRAINING, line_loss, rates=[0.01, 0.04])
    for index, rate in enumerate((0.01, 0.04)):
        alone = ManySeeds(make_line, [3])
        alone.train(on_device(TRAIN), replace(TRAINING, learning_rate=rate), line_loss)
        for value, expected in zip(both.state, alone.state, strict=True):
            np.testing.assert_allclose(value[index], expected[0], atol=1e-5)


def test_a_rate_that_fails_leaves_the_others():
    models = ManySeeds(make_line, [4, 4])
    of_seeds = np.array([1, np.nan]).reshape(2, 1, 1)
    models.put([v * of_seeds if v.ndim == 3 else v for v in models.copy()])
    history = models.train(on_device(TRAIN), TRAINING, line_loss, rates=[0.01, 9.0])
    assert np.isfinite(history[-1]).tolist() == [True, False]


def make_twins():
    """Two layers alike, of which the second is fixed."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((5, 2)), layers.Dense(2, name="a"), layers.Dense(2, name="b")]
    )
    model.get_layer("b").trainable = False
    return model


def test_weights_are_copied_within_each_seeds_model_and_then_part():
    models = ManySeeds(make_twins, [3, 5])
    before = models.copy()
    a, b = models.model.get_layer("a"), models.model.get_layer("b")
    models.fill([(b, a)])
    names = [v.path.split("/", 1)[-1] for v in models.model.variables]
    at = {path: i for i, path in enumerate(names)}
    kernel_a, kernel_b = at["a/kernel"], at["b/kernel"]
    np.testing.assert_array_equal(models.state[kernel_b], before[kernel_a])
    # Only what is learned moves; a step takes no buffer that another one needs.
    models.train(on_device(TRAIN), TRAINING, line_loss)
    np.testing.assert_array_equal(models.state[kernel_b], before[kernel_a])
    moved = np.abs(np.array(models.state[kernel_a]) - before[kernel_a])
    assert moved.max() > 1e-3
