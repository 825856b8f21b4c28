"""Measuring while training, keeping the best, and stopping clearly."""

import json

import keras
import numpy as np
import pytest
from training_cases import CONFIG, SPEC, M, weights

from psad_tf import metrics, tensors, training
from psad_tf.decoding import beam_search, full_order
from psad_tf.errors import ConfigError
from psad_tf.model import PSAD, build_psad
from psad_tf.training import train
from psad_tf.training_callbacks import BAD_BATCH_FILE, Progress
from psad_tf.training_config import TrainingConfig, training_config
from psad_tf.training_data import read_lists
from psad_tf.training_distribution import plain_copy
from psad_tf.training_evaluation import RankingEvaluation


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def one_by_one(dataset, score):
    """The means of NDCG@10 and MAP@10, list by list, each cut to its own length."""
    ndcg, precision = [], []
    for inputs, labels in dataset:
        for i in range(len(labels)):
            one = {name: value[i : i + 1] for name, value in inputs.items()}
            n = int(one[tensors.CANDIDATE_IS_VALID].numpy().sum())
            row = labels.numpy()[i : i + 1, :n], score(one)[:, :n]
            row = (*row, np.ones((1, n), bool))
            ndcg.append(metrics.ndcg(*row, k=10)[0])
            precision.append(metrics.average_precision(*row, k=10)[0])
    assert len(ndcg) == 6 and 0 < np.mean(ndcg) < 1
    return np.mean(ndcg), np.mean(precision)


def test_the_evaluation_is_that_of_the_metrics(lists):
    model, dataset = build_psad(CONFIG), lists(range(2, 8)).once()
    callback, logs = RankingEvaluation(dataset, teacher=True), {}
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0, logs)

    def student(inputs):
        return model.scorer(inputs).numpy()

    def teacher(inputs):
        """Greedy, not compiled: the place from behind of each candidate."""
        order, _ = beam_search(model, inputs, beam_width=1)
        is_valid = inputs[tensors.CANDIDATE_IS_VALID]
        whole = full_order(order, model.scorer(inputs), is_valid).numpy()[0].tolist()
        return np.array([[-whole.index(i) if i in whole else -99 for i in range(M)]])

    ndcg, precision = one_by_one(dataset, student)
    np.testing.assert_allclose(logs["val_ndcg_at_10"], ndcg, rtol=1e-6)
    np.testing.assert_allclose(logs["val_map_at_10"], precision, rtol=1e-6)
    of_teacher, _ = one_by_one(dataset, teacher)
    np.testing.assert_allclose(logs["val_teacher_ndcg_at_10"], of_teacher, rtol=1e-6)
    assert logs["val_both_ndcg_at_10"] == pytest.approx((ndcg + of_teacher) / 2)
    assert logs["val_teacher_seconds"] > 0


class Scripted(keras.callbacks.Callback):
    """Stands for the evaluation: values as told; keeps each epoch's weights."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values, self.kept = name, values, []

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]
        self.kept.append(weights(self.model))


@pytest.mark.parametrize(
    ("values", "epochs", "stop_on", "name"),
    [
        # Two epochs without a better one: stopped.
        ([0.1, 0.9, 0.3, 0.2, 1.0], 4, "student", "val_ndcg_at_10"),
        # The epochs ran out first.
        ([0.1, 0.9, 0.3], 3, "teacher", "val_teacher_ndcg_at_10"),
    ],
)
def test_the_best_epochs_weights_are_left(
    values, epochs, stop_on, name, lists, tmp_path, monkeypatch, eager
):
    scripted = Scripted(name, values)
    made = []

    def evaluation(dataset, teacher):
        made.append(teacher)
        return scripted

    monkeypatch.setattr(training, "RankingEvaluation", evaluation)
    config = TrainingConfig(
        epochs=len(values), patience=2, learning_rate=0.01, stop_on=stop_on
    )
    model, data = build_psad(CONFIG), lists(range(8))
    history = train(model, data, data, config, tmp_path / "logs")
    assert made == [stop_on == "teacher"]
    assert len(history["loss"]) == len(scripted.kept) == epochs
    assert_same(weights(model), scripted.kept[1])
    assert not np.array_equal(scripted.kept[1][0], scripted.kept[-1][0])


@pytest.mark.parametrize("seed", [None, 3])
def test_a_bad_batch_stops_the_run_and_is_saved(seed, lists, tmp_path, eager):
    poisoned = lists(range(8), batch_size=2, seed=seed)
    poisoned = read_lists(
        [*poisoned.files, *lists([99], dense=np.nan).files], SPEC, 2, seed
    )
    model = build_psad(CONFIG)
    where = tmp_path / "logs" / BAD_BATCH_FILE
    with pytest.raises(FloatingPointError, match="not finite at step") as error:
        train(model, poisoned, lists([4]), TrainingConfig(batch_size=2), where.parent)
    message = str(error.value)
    assert str(where) in message and "learning_rate (now 0.001)" in message
    with np.load(where) as saved:
        dense = saved["inputs/candidate_dense"]
        step = int(saved["step"])
        assert np.isnan(dense).sum() == 1
        assert saved["bad_inputs"].tolist() == ["inputs/candidate_dense"]
        assert "loss" in saved["bad_losses"] and "scorer_loss" in saved["bad_losses"]
        assert saved["bad_weights"].tolist() == []
        names = {f"inputs/{name}" for name in tensors.INPUTS}
        assert names | {"label"} < set(saved.files)
    ((inputs, _),) = poisoned.parsed(poisoned.batches(step).take(1))
    np.testing.assert_array_equal(inputs["candidate_dense"], dense)
    assert f"step {step}, epoch 1" in message
    # The weights are still those from before that step.
    assert all(np.isfinite(w).all() for w in weights(model))
    assert model.optimizer.iterations == step + 1


def test_a_bad_weight_is_named(lists, tmp_path, eager):
    model, data = build_psad(CONFIG), lists(range(8))
    (weight,) = (w for w in model.trainable_weights if "score/bias" in w.path)
    weight.assign(np.full(weight.shape, np.inf))
    with pytest.raises(FloatingPointError, match=f"bad_weights: {weight.path}"):
        train(model, data, data, TrainingConfig(), tmp_path)
    with np.load(tmp_path / BAD_BATCH_FILE) as saved:
        assert saved["bad_weights"].tolist() == [weight.path]
        assert saved["bad_inputs"].tolist() == []
        assert "generation_loss" not in saved["bad_losses"]


def test_an_epoch_of_some_steps_reads_on_where_the_last_one_ended(
    lists, tmp_path, eager, monkeypatch
):
    seen = []
    data = lists(range(20), seed=2)
    config = TrainingConfig(epochs=2, epoch_steps=2, learning_rate=0.01)
    step = PSAD.train_step

    def train_step(self, batch):
        seen.append(batch[0]["candidate_dense"][:, 0, 0].numpy().tolist())
        return step(self, batch)

    monkeypatch.setattr(PSAD, "train_step", train_step)
    history = train(build_psad(CONFIG), data, lists([4]), config, tmp_path)
    stream = data.parsed(data.batches().take(4))
    expected = [x["candidate_dense"][:, 0, 0].numpy().tolist() for x, _ in stream]
    assert seen == expected
    assert [len(batch) for batch in seen] == [8, 8, 4, 8]
    assert len(history["val_loss"]) == 2


def test_the_same_seed_gives_the_same_weights_and_the_logs_are_written(
    lists, tmp_path, eager, capsys
):
    config = TrainingConfig(epochs=1, batch_size=8, seed=5)

    def trained(folder):
        keras.utils.set_random_seed(config.seed)
        model = build_psad(CONFIG)
        start = weights(model)
        data = lists(range(21), seed=config.seed)
        history = train(model, data, lists([4]), config, folder)
        return start, model, history

    start, model, history = trained(tmp_path / "a")
    first = weights(model)
    assert "epoch 1/1, step 3/3: " in capsys.readouterr().err
    assert_same(weights(trained(tmp_path / "b")[1]), first)
    assert not any(np.array_equal(a, b) for a, b in zip(start, first, strict=True))
    assert_same(weights(plain_copy(model)), first)

    assert json.loads((tmp_path / "a" / "history.json").read_text()) == history
    assert {len(values) for values in history.values()} == {1}
    assert {"loss", "scorer_loss", "val_loss", "val_ndcg_at_10"} <= set(history)
    settings = json.loads((tmp_path / "a" / "training.json").read_text())
    assert TrainingConfig(**settings) == config
    assert list((tmp_path / "a" / "tensorboard").rglob("events.out.*"))


def test_progress_tells_rate_and_what_is_left(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress(steps=50, epochs=4, batch_size=64, every=30)
    progress.on_train_begin()
    # Resumed: the first of four epochs was done before.
    progress.on_epoch_begin(1)
    for batch, seconds in ((0, 110.0), (9, 131.0), (10, 140.0), (19, 161.5)):
        now[0] = seconds
        progress.on_train_batch_end(batch)
    now[0] = 225.0
    progress.on_epoch_end(1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    # 10 steps in 31 s, 140 to go; 20 in 61.5 s; 50 in 125 s, 100 to go.
    assert lines[0] == ("epoch 2/4, step 60/200: 21 lists/s, at most 0:07:14 left")
    assert "step 70/200" in lines[1]
    assert lines[2] == ("epoch 2/4, step 100/200: 26 lists/s, at most 0:04:10 left")


@pytest.mark.parametrize(
    "name", ["epochs", "batch_size", "learning_rate", "patience", "clip_norm"]
)
def test_settings_must_be_positive(name):
    with pytest.raises(ConfigError, match=f"{name}=0 must be positive"):
        TrainingConfig(**{name: 0})


@pytest.mark.parametrize("name", ["warmup_steps", "weight_decay", "epoch_steps"])
def test_settings_must_not_be_negative(name):
    with pytest.raises(ConfigError, match=f"{name}=-1 must be 0 or more"):
        TrainingConfig(**{name: -1})


@pytest.mark.parametrize(
    "name", ["schedule", "precision", "strategy", "stop_on", "table_updates"]
)
def test_choices_are_named(name):
    with pytest.raises(ConfigError, match=f"{name}='x' must be one of"):
        training_config({name: "x"}, seed=1)
