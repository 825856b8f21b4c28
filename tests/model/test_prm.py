import keras
import numpy as np
import pytest
from backend_tools import compile_with
from model_cases import (
    TINY,
    arrays,
    awake,
    make_batch,
    repeated,
    tensors,
    weight_of,
)

from psad_tf import metrics
from psad_tf.baselines.prm import PRM
from psad_tf.decoding import beam_search
from psad_tf.model import build_psad

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]


def make(**kwargs):
    model = PRM(TINY, **kwargs)
    model.build()
    return awake(model)


def test_padding_does_not_matter():
    model = make()
    inputs, _ = make_batch(TINY, COUNTS, seed=1)
    other = arrays(make_batch(TINY, COUNTS, seed=2)[0])
    mixed = arrays(inputs)
    for place in ("candidate", "history"):
        is_valid = mixed[f"{place}_is_valid"][..., None]
        for name in (f"{place}_ids", f"{place}_dense"):
            mixed[name] = np.where(is_valid, mixed[name], other[name])
    np.testing.assert_allclose(model(tensors(mixed)), model(inputs), atol=1e-5)


def test_positions_matter():
    model = make()
    inputs, _ = make_batch(TINY, [6])
    moved = arrays(inputs)
    for name in ("candidate_ids", "candidate_dense"):
        moved[name] = moved[name][:, ::-1]
    found = np.array(model(tensors(moved)))[:, ::-1]
    assert np.abs(found - np.array(model(inputs))).max() > 1e-3


def test_value_of_the_initial_order_is_its_discounted_clicks():
    model = make(loss="bce")
    inputs, _ = make_batch(TINY, COUNTS)
    counts = np.array(COUNTS)[:, None]
    order = np.where(np.arange(6) < counts, np.arange(6), -1).astype("int32")
    found = model.value(inputs, order[:, None])
    scores = np.array(model(inputs))
    for b, count in enumerate(COUNTS):
        expected = sum(
            1 / (1 + np.exp(-scores[b, j])) / np.log2(j + 2) for j in range(count)
        )
        np.testing.assert_allclose(found[b], [expected], rtol=1e-4)


def test_undiscounted_each_click_counts_alike():
    model = make(loss="bce")
    inputs, _ = make_batch(TINY, [6, 6])
    order = np.array([[[0, 1, 2, 3, 4, 5]], [[0, 1, 2, 3, 4, 5]]], "int32")
    found = model.value(inputs, order, discounted=False)
    clicks = 1 / (1 + np.exp(-np.array(model(inputs))))
    np.testing.assert_allclose(found, clicks.sum(axis=1, keepdims=True), rtol=1e-4)


def test_value_of_any_order_is_that_of_the_list_in_this_order():
    model = make(loss="bce")
    inputs, _ = make_batch(TINY, [6, 6])
    orders = np.array([[[3, 0, 5], [1, 2, 4]], [[5, 4, 3], [0, 1, 2]]], "int32")
    found = np.array(model.value(inputs, orders))
    for w in range(2):
        listed = arrays(inputs)
        for name in ("candidate_ids", "candidate_dense"):
            for b in range(2):
                listed[name][b, :3] = arrays(inputs)[name][b, orders[b, w]]
        listed["candidate_is_valid"][:, 3:] = False
        initial = np.tile([0, 1, 2], (2, 1, 1)).astype("int32")
        expected = model.value(tensors(listed), initial)
        np.testing.assert_allclose(found[:, w], np.array(expected)[:, 0], rtol=1e-4)


def test_value_needs_click_probabilities():
    inputs, _ = make_batch(TINY, [3])
    with pytest.raises(ValueError, match='needs PRM.*loss="bce"'):
        make(loss="softmax").value(inputs, np.zeros((1, 1, 4), "int32"))


@pytest.mark.parametrize("history", [True, False])
def test_history_counts_where_it_is_asked_for(history):
    model = make(history=history)
    inputs, _ = make_batch(TINY, [6, 4], [5, 3])
    without = dict(inputs, history_is_valid=np.zeros((2, 5), bool))
    moved = np.abs(np.array(model(without)) - np.array(model(inputs)))[0].max()
    assert (moved > 1e-3) == history


def test_unknown_loss_is_named():
    with pytest.raises(ValueError, match="loss='hinge'; choose one of"):
        PRM(TINY, loss="hinge")


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_it_learns_lists_by_heart_and_survives_its_file(loss, tmp_path):
    keras.utils.set_random_seed(0)
    inputs, label = make_batch(TINY, COUNTS)
    model = PRM(TINY, loss=loss)
    model.build()
    compile_with(keras.optimizers.Adam(0.02), model, jit_compile=False)
    lists = repeated((inputs, label), 100)
    model.fit(*lists, batch_size=8, shuffle=False, verbose=0)
    clicked, scores = label.any(axis=1), model(inputs)
    ndcg = metrics.ndcg(label, scores, inputs["candidate_is_valid"], k=6)
    assert ndcg[clicked].mean() > 0.99
    model.save(tmp_path / "prm.keras")
    loaded = keras.models.load_model(tmp_path / "prm.keras")
    np.testing.assert_array_equal(loaded(inputs), scores)
    assert loaded.loss_kind == loss


def test_it_picks_from_the_generators_beams():
    prm, psad = make(loss="bce"), awake(build_psad(TINY))
    inputs, _ = make_batch(TINY, COUNTS)
    order, _ = beam_search(psad, inputs, 6, prm.value)
    likely, _ = beam_search(psad, inputs, 6)
    mine = np.array(prm.value(inputs, order[:, None]))
    assert (mine >= np.array(prm.value(inputs, likely[:, None])) - 1e-6).all()


def test_positions_are_as_many_as_candidates():
    assert weight_of(make(), "positions/embeddings").shape == (6, 8)
