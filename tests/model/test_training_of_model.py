"""`fit` and `evaluate` with the model's own loss."""

import keras
import numpy as np
from backend_tools import compile_with
from model_cases import TINY, awake, make_batch, repeated, tiny

from psad_tf import metrics
from psad_tf.decoding import beam_search, full_order
from psad_tf.model import PARTS, build_psad

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]


def test_evaluate_logs_the_loss_and_every_part():
    model = awake(build_psad(TINY))
    model.compile(keras.optimizers.Adam(1e-3))
    inputs, label = make_batch(TINY, COUNTS)
    found = model.evaluate(inputs, label, batch_size=8, verbose=0, return_dict=True)
    parts = model.joint_loss(label, inputs["candidate_is_valid"], model(inputs))
    assert set(found) == {"loss", *(f"{p}_loss" for p in PARTS)}
    np.testing.assert_allclose(found["loss"], np.mean(parts["loss"]), rtol=1e-5)
    for part in PARTS:
        np.testing.assert_allclose(
            found[f"{part}_loss"], np.mean(parts[part]), rtol=1e-5
        )


def test_a_list_of_weight_zero_does_not_count():
    model = awake(build_psad(TINY))
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    inputs, label = make_batch(TINY, COUNTS)
    weight = np.array([1, 1, 1, 1, 0, 0, 0, 0], "float32")
    found = model.evaluate(
        inputs, label, sample_weight=weight, batch_size=8, verbose=0, return_dict=True
    )
    parts = model.joint_loss(label, inputs["candidate_is_valid"], model(inputs))
    for part in PARTS:
        expected = np.mean(parts[part][:4])
        np.testing.assert_allclose(found[f"{part}_loss"], expected, rtol=1e-5)


def test_compiled_by_xla_the_loss_is_the_same():
    model = awake(build_psad(TINY))
    inputs, label = make_batch(TINY, COUNTS)
    found = []
    for jit_compile in (True, False):
        model.compile(keras.optimizers.Adam(1e-3), jit_compile=jit_compile)
        found.append(model.evaluate(inputs, label, verbose=0))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


def test_both_branches_learn_32_lists_by_heart():
    keras.utils.set_random_seed(0)
    config = tiny(
        item_rows=400, item_unknown_ids=(1, 300), hidden_dim=16, refine_size=1
    )
    inputs, label = make_batch(config, [6, 5, 4, 3] * 8)
    model = build_psad(config)
    compile_with(keras.optimizers.Adam(0.01), model, jit_compile=False)
    lists = repeated((inputs, label), 100)
    model.fit(*lists, batch_size=32, shuffle=False, verbose=0)
    is_valid, scores = inputs["candidate_is_valid"], model.scorer(inputs)
    order, _ = beam_search(model, inputs)
    whole = full_order(order, scores, is_valid)
    clicked = label.any(axis=1)
    for found in (scores, metrics.order_scores(whole, config.list_length)):
        ndcg = metrics.ndcg(label, found, is_valid, k=6)[clicked]
        assert ndcg.mean() > 0.99
