import numpy as np
import pytest
from keras import ops
from model_cases import TINY, arrays, awake, make_batch, tensors, tiny
from recurrent_loops import gru

from psad_tf.baselines.attention_rank import attention_rank_loss
from psad_tf.baselines.dlcm import DLCM
from psad_tf.baselines.registry import build_reranker

COUNTS = [6, 5, 3, 1]


def make(config=TINY, **kwargs):
    return awake(build_reranker("dlcm", config, **kwargs))


def read(model, items, counts):
    is_valid = np.arange(items.shape[1]) < np.array(counts)[:, None]
    return [np.array(x) for x in model._read(items.astype("float32"), is_valid)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("loss", ["attention rank", "bce"])
def test_scores_are_those_of_the_equations(channels, loss):
    model = make(channels=channels, loss=loss)
    inputs, _ = make_batch(TINY, COUNTS)
    vectors, scores = np.array(model.items(inputs)), np.array(model(inputs))
    w, b = (v.numpy() for v in model.context.weights)
    v = model.score.kernel.numpy()[:, 0]
    shift = model.score.bias.numpy()[0] if loss == "bce" else 0
    for row, count in enumerate(COUNTS):
        outputs = vectors[row, :count][::-1]
        for reader in model.readers:
            outputs = gru(reader, outputs)
        context = np.tanh(outputs[-1] @ w + b).reshape(TINY.hidden_dim, channels)
        for i, output in enumerate(outputs[::-1]):
            expected = sum(
                v[k] * np.dot(output, context[:, k]) for k in range(channels)
            )
            np.testing.assert_allclose(scores[row, i], expected + shift, atol=1e-4)


def test_the_list_is_read_from_the_bottom_up():
    model = make()
    items = np.random.default_rng(0).normal(size=(1, 6, 8))
    before, last = read(model, items, [6])
    np.testing.assert_allclose(before[:, 0], last, atol=1e-6)
    for place in range(6):
        other = items.copy()
        other[0, place] += 1
        moved = np.abs(read(model, other, [6])[0] - before)[0].max(axis=1) > 1e-6
        # What lies above has read it, what lies below has not.
        assert moved.tolist() == [i <= place for i in range(6)]


def test_a_padded_list_is_read_as_the_short_one():
    model = make(tiny(num_layers=3))
    items = np.random.default_rng(0).normal(size=(1, 6, 8))
    outputs, last = read(model, items, [4])
    short, short_last = read(model, items[:, :4], [4])
    np.testing.assert_allclose(outputs[:, :4], short, atol=1e-6)
    np.testing.assert_allclose(last, short_last, atol=1e-6)


def test_the_initial_order_counts():
    model = make()
    inputs, _ = make_batch(TINY, [6, 6])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, ::-1].copy()
    found = np.array(model(tensors(moved)))[:, ::-1]
    assert np.abs(found - np.array(model(inputs))).max() > 1e-2


def test_it_is_trained_by_attention_rank():
    model = make()
    inputs, label = make_batch(TINY, COUNTS)
    label = ops.convert_to_tensor(label)
    expected = attention_rank_loss(model(inputs), label, inputs["candidate_is_valid"])
    np.testing.assert_allclose(model.list_loss(inputs, label), expected, rtol=1e-5)
    assert not model.gives_probabilities


def test_by_log_loss_it_gives_probabilities():
    model = make(loss="bce")
    inputs, label = make_batch(TINY, [6])
    p = 1 / (1 + np.exp(-np.array(model(inputs))))
    expected = -np.mean(label * np.log(p) + (1 - label) * np.log(1 - p))
    found = model.list_loss(inputs, ops.convert_to_tensor(label))
    np.testing.assert_allclose(found, [expected], rtol=1e-4)
    assert model.gives_probabilities


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge'; choose one of"),
        ({"channels": 0}, "channels=0; it must be at least 1"),
    ],
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        DLCM(TINY, **wrong)
