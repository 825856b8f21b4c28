"""Reading lists, measuring while training, keeping the best, and stopping clearly."""

import gzip
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from psad_tf import metrics, tensors, training
from psad_tf.config import PSADConfig
from psad_tf.model import build_psad
from psad_tf.training import RankingEvaluation, TrainingConfig, read_lists, train

CONFIG = PSADConfig(
    item_rows=30,
    item_widths=(1, 2),
    item_unknown_ids=(1, 20),
    user_rows=9,
    user_widths=(1,),
    user_unknown_ids=(1,),
    candidate_dense_size=2,
    history_dense_size=2,
    list_length=5,
    history_length=3,
    slate_length=4,
    embedding_dim=4,
    hidden_dim=8,
    num_layers=1,
)
M, N = CONFIG.list_length, CONFIG.history_length
SPEC = {
    tensors.USER_IDS: tf.io.FixedLenFeature([1], tf.int64),
    tensors.CANDIDATE_IDS: tf.io.FixedLenFeature([M, 3], tf.int64),
    tensors.CANDIDATE_DENSE: tf.io.FixedLenFeature([M, 2], tf.float32),
    tensors.CANDIDATE_IS_VALID: tf.io.FixedLenFeature([M], tf.int64),
    tensors.HISTORY_IDS: tf.io.FixedLenFeature([N, 3], tf.int64),
    tensors.HISTORY_DENSE: tf.io.FixedLenFeature([N, 2], tf.float32),
    tensors.HISTORY_IS_VALID: tf.io.FixedLenFeature([N], tf.int64),
    tensors.LABEL: tf.io.FixedLenFeature([M], tf.float32),
}


def make_list(number, dense=None):
    """A transformed list whose first number is its own, for recognition."""
    random = np.random.default_rng(number)
    is_valid = (np.arange(M) < 1 + number % M).astype(int)
    numbers = random.normal(size=(M, 2))
    numbers[0, 0] = number if dense is None else dense
    values = {
        tensors.USER_IDS: random.integers(1, 9, 1),
        tensors.CANDIDATE_IDS: random.integers(1, 30, (M, 3)),
        tensors.CANDIDATE_DENSE: numbers,
        tensors.CANDIDATE_IS_VALID: is_valid,
        tensors.HISTORY_IDS: random.integers(1, 30, (N, 3)),
        tensors.HISTORY_DENSE: random.normal(size=(N, 2)),
        tensors.HISTORY_IS_VALID: (np.arange(N) < number % (N + 1)).astype(int),
        tensors.LABEL: (random.random(M) < 0.4) * is_valid * 1.0,
    }
    example = tf.train.Example()
    for name, value in values.items():
        feature = example.features.feature[name]
        is_id = np.issubdtype(value.dtype, np.integer)
        out = feature.int64_list if is_id else feature.float_list
        out.value.extend(value.ravel().tolist())
    return example.SerializeToString()


def write_shards(folder, records, shards):
    """Records, dealt to gzipped TFRecord files; the pattern that finds them."""
    folder.mkdir()
    options = tf.io.TFRecordOptions("GZIP")
    for i in range(shards):
        file = str(folder / f"part-{i:02}.gz")
        with tf.io.TFRecordWriter(file, options) as writer:
            for record in records[i::shards]:
                writer.write(record)
    return [str(folder / "part-*")]


@pytest.fixture
def lists(tmp_path):
    """Numbers of lists, batch size, seed -> the batches read back."""

    def make(numbers, batch_size=8, seed=None, shards=2, dense=None):
        folder = tmp_path / f"lists-{len(list(tmp_path.iterdir()))}"
        records = [make_list(number, dense) for number in numbers]
        files = write_shards(folder, records, shards)
        return read_lists(files, SPEC, batch_size, seed)

    return make


def numbers_of(dataset):
    """The lists' numbers, a row a batch."""
    return [x[tensors.CANDIDATE_DENSE][:, 0, 0].numpy().tolist() for x, _ in dataset]


def flat(rows):
    return [value for row in rows for value in row]


def test_no_list_is_lost_and_the_last_batch_is_kept(lists):
    batches = numbers_of(lists(range(21), batch_size=8))
    assert [len(batch) for batch in batches] == [8, 8, 5]
    assert sorted(flat(batches)) == list(range(21))


def test_shuffled_anew_each_pass_every_list_comes_once(lists):
    dataset = lists(range(21), seed=3)
    first, second = flat(numbers_of(dataset)), flat(numbers_of(dataset))
    assert sorted(first) == sorted(second) == list(range(21))
    assert first != second
    again = lists(range(21), seed=3)
    assert [flat(numbers_of(again)), flat(numbers_of(again))] == [first, second]


def test_the_number_of_shards_does_not_change_the_order(lists):
    for seed in (None, 3):
        one = flat(numbers_of(lists(range(21), seed=seed, shards=1)))
        assert flat(numbers_of(lists(range(21), seed=seed, shards=5))) == one


def test_inputs_are_the_models_with_validity_as_booleans(lists):
    ((inputs, labels),) = lists([3])
    assert set(inputs) == set(tensors.INPUTS)
    is_valid = inputs[tensors.CANDIDATE_IS_VALID]
    assert is_valid.dtype == inputs[tensors.HISTORY_IS_VALID].dtype == tf.bool
    assert is_valid.numpy().tolist() == [[True] * 4 + [False]]
    assert labels.shape == (1, M) and labels.dtype == tf.float32


def test_an_empty_split_is_told_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match="this split is empty.*summary.json"):
        read_lists([str(tmp_path / "none-*")], SPEC, 8)
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(ValueError, match="empty.gz.*this split is empty"):
        read_lists([str(tmp_path / "empty.gz")], SPEC, 8)


def weights(model):
    return [w.numpy() for w in model.trainable_weights]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_evaluation_is_that_of_the_metrics(lists):
    model, dataset = build_psad(CONFIG), lists(range(21))
    callback = RankingEvaluation(dataset)
    callback.set_model(model)
    logs = {"loss": 1.0}
    callback.on_train_begin()
    callback.on_epoch_end(0, logs)
    ndcg, precision = [], []
    for inputs, labels in dataset:
        for i in range(len(labels)):  # list by list, cut to its own length
            one = {name: value[i : i + 1] for name, value in inputs.items()}
            n = int(one[tensors.CANDIDATE_IS_VALID].numpy().sum())
            row = labels.numpy()[i : i + 1, :n], model.scorer(one).numpy()[:, :n]
            row = (*row, np.ones((1, n), bool))
            ndcg.append(metrics.ndcg(*row, k=10)[0])
            precision.append(metrics.average_precision(*row, k=10)[0])
    assert len(ndcg) == 21 and 0 < np.mean(ndcg) < 1
    np.testing.assert_allclose(logs["val_ndcg_at_10"], np.mean(ndcg), rtol=1e-6)
    np.testing.assert_allclose(logs["val_map_at_10"], np.mean(precision), rtol=1e-6)


@pytest.fixture
def eager():
    """Steps run as plain Python: tracing them takes longer than these few."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class Scripted(keras.callbacks.Callback):
    """Stands for the evaluation: values as told; keeps each epoch's weights."""

    def __init__(self, values):
        super().__init__()
        self.values, self.kept = values, []

    def on_epoch_end(self, epoch, logs=None):
        logs[training.VALIDATION_NDCG] = self.values[epoch]
        self.kept.append(weights(self.model))


@pytest.mark.parametrize(
    ("values", "epochs"),
    [
        ([0.1, 0.9, 0.3, 0.2, 1.0], 4),  # two epochs without a better one: stopped
        ([0.1, 0.9, 0.3], 3),  # the epochs ran out first
    ],
)
def test_the_best_epochs_weights_are_left(
    values, epochs, lists, tmp_path, monkeypatch, eager
):
    scripted = Scripted(values)
    monkeypatch.setattr(training, "RankingEvaluation", lambda dataset: scripted)
    config = TrainingConfig(epochs=len(values), patience=2, learning_rate=0.01)
    model, dataset = build_psad(CONFIG), lists(range(8))
    history = train(model, dataset, dataset, config, tmp_path / "logs")
    assert len(history["loss"]) == len(scripted.kept) == epochs
    assert_same(weights(model), scripted.kept[1])
    assert not np.array_equal(scripted.kept[1][0], scripted.kept[-1][0])


def test_a_loss_that_is_nan_stops_with_the_remedy(lists, tmp_path, eager):
    bad = lists([4, 9], dense=np.nan)
    with pytest.raises(FloatingPointError, match="learning rate .now 0.001."):
        train(build_psad(CONFIG), bad, lists([4]), TrainingConfig(), tmp_path / "logs")


def test_the_same_seed_gives_the_same_weights_and_the_logs_are_written(
    lists, tmp_path, eager
):
    config = TrainingConfig(epochs=1, seed=5)

    def trained(folder):
        keras.utils.set_random_seed(config.seed)
        model = build_psad(CONFIG)
        start = weights(model)
        dataset = lists(range(21), seed=config.seed)
        history = train(model, dataset, lists([4]), config, folder)
        return start, weights(model), history

    start, first, history = trained(tmp_path / "a")
    assert_same(trained(tmp_path / "b")[1], first)
    assert not any(np.array_equal(a, b) for a, b in zip(start, first, strict=True))

    assert json.loads((tmp_path / "a" / "history.json").read_text()) == history
    assert {len(values) for values in history.values()} == {1}
    assert {"loss", "scorer_loss", "val_loss", "val_ndcg_at_10"} <= set(history)
    settings = json.loads((tmp_path / "a" / "training.json").read_text())
    assert TrainingConfig(**settings) == config
    assert list((tmp_path / "a" / "tensorboard").rglob("events.out.*"))


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate", "patience"])
def test_settings_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name}=0 must be positive"):
        TrainingConfig(**{name: 0})
