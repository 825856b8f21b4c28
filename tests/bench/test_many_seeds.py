"""Seeds side by side against Keras' own training, one seed at a time."""

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
from psad_tf.bench.many_seeds import ManySeeds, keep_best, on_device
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
        "dropout": 0.0,
        "id_dropout": 0.0,
    }
)
# Ten lists: the last batch has two.
TRAINING = TrainingConfig(epochs=2, batch_size=4, learning_rate=0.01)
TRAIN = make_bundle().splits["train"]


def make_prm():
    model = PRM(CONFIG, num_blocks=0, loss="bce")
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
    models = ManySeeds(make_prm, [3, 5], prm_loss)
    started = [np.array(v)[0] for v in models.state[0]]
    found = models.train(on_device(TRAIN), TRAINING)
    np.testing.assert_allclose(np.array(found)[:, 0], means, rtol=1e-5)
    assert np.ptp(means) > 0.01
    moved = 0.0
    for weight, value, before in zip(
        expected.trainable_weights, models.state[0], started, strict=True
    ):
        np.testing.assert_allclose(value[0], weight, atol=1e-5, err_msg=weight.path)
        moved = max(moved, np.abs(before - np.array(value[0])).max())
    assert moved > 0.01


def test_two_seeds_side_by_side_are_each_alone():
    """Their order of lists and their dropout, too."""
    both = ManySeeds(make_line, [3, 5], line_loss)
    means = np.array(both.train(on_device(TRAIN), TRAINING))
    for index, seed in enumerate((3, 5)):
        alone = ManySeeds(make_line, [seed], line_loss)
        history = np.array(alone.train(on_device(TRAIN), TRAINING))
        np.testing.assert_allclose(means[:, [index]], history, rtol=1e-5)
        for group, own in zip(both.state, alone.state, strict=True):
            for value, expected in zip(group, own, strict=True):
                np.testing.assert_allclose(value[index], expected[0], atol=1e-5)
    kernels = both.state[0][0]
    assert np.abs(kernels[0] - kernels[1]).max() > 0.1


def test_the_last_batch_is_filled_and_the_filling_cut_off():
    models, lists = ManySeeds(make_line, [3, 5], line_loss), on_device(TRAIN)
    found = models.apply("line", line, lists, batch=4)
    assert found.shape == (2, 10, 5)
    for index in range(2):
        expected = line(one_of(models, index), lists)
        np.testing.assert_allclose(found[index], expected, rtol=1e-5, atol=1e-6)
    # Known by its name, it is not asked for again.
    again = models.apply("line", None, lists, batch=10)
    np.testing.assert_allclose(again, found, rtol=1e-6)


def test_it_stops_when_told_and_weights_can_be_put_back():
    models, epochs = ManySeeds(make_line, [0, 1], line_loss), []
    before = models.copy()

    def after_epoch(epoch):
        epochs.append(epoch)
        return epoch == 2

    training = TrainingConfig(epochs=5, batch_size=10, learning_rate=0.1)
    assert len(models.train(on_device(TRAIN), training, after_epoch)) == 2
    assert epochs == [1, 2]
    after = models.copy()
    assert np.abs(before[0][0] - after[0][0]).min() > 0.01
    models.put(before)
    np.testing.assert_array_equal(models.state[0][0], before[0][0])


def test_a_loss_that_is_not_finite_names_its_seed():
    models = ManySeeds(make_line, [4, 7], line_loss)
    kernels, *others = models.copy()
    kernels[0] = kernels[0] * np.array([1, np.nan]).reshape(2, 1, 1)
    models.put([kernels, *others])
    with pytest.raises(FloatingPointError, match=r"seeds \[7\] .* epoch 1; lower lear"):
        models.train(on_device(TRAIN), TRAINING)


def test_the_models_beside_are_read_and_not_moved():
    first = ManySeeds(make_line, [0, 1], line_loss)
    kept = first.copy()

    def like_first(model, inputs, label, training):
        return ops.mean((line(model, inputs) - line(first.model, inputs)) ** 2, axis=1)

    second = ManySeeds(make_line, [8, 9], like_first, beside=[first])
    training = TrainingConfig(200, 10, 0.1, clip_norm=100.0, weight_decay=0.0)
    history = second.train(on_device(TRAIN), training)
    np.testing.assert_array_equal(first.state[0][0], kept[0][0])
    # Each has come to its own neighbour.
    np.testing.assert_allclose(second.state[0][0], kept[0][0], atol=1e-2)
    assert (history[-1] < 1e-4).all() and (history[0] > 1e-2).all()


def test_keep_best_seed_by_seed():
    old, now = [[np.zeros((2, 3))], [np.zeros(2)]], [[np.ones((2, 3))], [np.ones(2)]]
    found = keep_best(old, now, np.array([True, False]))
    np.testing.assert_array_equal(found[0][0], [[1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(found[1][0], [1, 0])
    assert keep_best(None, now, np.array([False, False])) is now
