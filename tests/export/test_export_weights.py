"""Stored weights: how far off they are, how large, and who reads them."""

import numpy as np
import pytest
from export_features import features_of
from model_cases import awake, make_batch, tiny


def test_int8_is_off_by_half_a_scale_at_most_and_each_column_has_its_own():
    from psad_tf.export_weights import quantised

    value = np.float32([[1.27, -100.0], [-0.635, 254.0], [0.0, 3.0]])
    stored, scale = quantised(value, (0,))
    # The largest of a column is 127 steps: 1.27 / 127 and 254 / 127.
    np.testing.assert_allclose(scale, [[0.01, 2.0]], rtol=1e-6)
    assert stored.dtype == np.int8
    assert stored[:, 1].tolist() == [-50, 127, 2]
    assert stored[:, 0].tolist() == [127, round(-0.635 / float(scale[0, 0])), 0]
    assert (np.abs(stored * scale - value) <= scale / 2 + 1e-6).all()


def test_what_is_all_zero_stays_zero():
    from psad_tf.export_weights import quantised

    stored, scale = quantised(np.zeros((2, 3), np.float32), (1,))
    assert not (stored * scale).any() and np.isfinite(scale).all()


@pytest.fixture(scope="module")
def scorer():
    from psad_tf.model import build_psad

    return awake(build_psad(tiny(num_layers=2, list_length=6))).scorer


def served(scorer, **choices):
    from psad_tf.export_core import ServedScorer
    from psad_tf.serving_config import ServingConfig

    return ServedScorer(scorer, features_of(scorer.config), ServingConfig(**choices))


@pytest.mark.parametrize(
    "precision, kinds, off",
    [
        ("float32", {"float32"}, 1e-6),
        ("float16", {"float16"}, 0.02),
        ("bfloat16", {"bfloat16"}, 0.3),
        ("int8", {"int8", "float32"}, 0.3),
    ],
)
def test_weights_are_stored_in_the_precision_and_score_nearly_alike(
    precision, kinds, off, scorer
):
    inputs, _ = make_batch(scorer.config, [6, 3, 1])
    expected = scorer(inputs).numpy()
    model = served(scorer, precision=precision)
    assert {str(values.dtype) for values in model.stored.arrays} == kinds
    found = model.graph((6, 5))(inputs)[0].numpy()
    is_valid = inputs["candidate_is_valid"].numpy()
    difference = np.abs(found - expected)[is_valid].max()
    # Operations in another order may differ by some roundings.
    assert difference <= off * np.ptp(expected[is_valid]) + 1e-6
    # Less precision is another model, or nothing would have been reduced.
    assert (difference > 1e-5) == (precision != "float32")


def test_a_table_is_looked_up_before_it_is_brought_to_float32(scorer):
    graph = served(scorer, precision="int8").graph((6, 5)).graph
    rows = scorer.config.item_rows
    casts = [op.outputs[0] for op in graph.get_operations() if op.type == "Cast"]
    floats = [x.shape.as_list() for x in casts if x.dtype.is_floating]
    assert floats and not any(rows in shape for shape in floats)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_reduced_weights_serve_every_width(precision, scorer):
    inputs, _ = make_batch(scorer.config, [3, 2], [1, 0])
    whole = served(scorer, precision=precision)
    model = served(scorer, precision=precision, list_buckets=(3,), history_buckets=(1,))
    expected = whole(inputs).numpy()
    np.testing.assert_allclose(model(inputs).numpy(), expected, atol=0.02)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_large_weights_serve_every_width_from_one_copy(precision, scorer, monkeypatch):
    inputs, _ = make_batch(scorer.config, [3, 2], [1, 0])
    expected = served(scorer, precision=precision)(inputs).numpy()
    monkeypatch.setattr("psad_tf.export_weights.MAX_CONSTANT_BYTES", 0)
    model = served(scorer, precision=precision, list_buckets=(3,), history_buckets=(1,))
    np.testing.assert_allclose(model(inputs).numpy(), expected, atol=2e-6)
    read = [{v.ref() for v in model.graph(width).variables} for width in model.widths]
    assert len(read) == 4 and len(read[0]) == len(model.stored.arrays)
    assert all(one == read[0] for one in read)


def test_the_models_own_weights_are_left_alone(scorer):
    before = [w.numpy() for w in scorer.weights]
    inputs, _ = make_batch(scorer.config, [6])
    served(scorer, precision="int8", list_buckets=(3,))(inputs)
    for weight, value in zip(scorer.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
