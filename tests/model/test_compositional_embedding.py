"""Quotient-remainder tables, against a loop and against what makes them unique."""

import keras
import numpy as np
import pytest
from backend_tools import gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_checks import check_layer, run
from model_cases import awake

from psad_tf.layers.compositional_embedding import (
    CompositionalEmbedding,
    composition,
)
from psad_tf.layers.embedding_table import EmbeddingTable
from psad_tf.layers.feature_embedding import FeatureEmbedding

# Ids: 0 padding | 1-2 a small field | 3-12 ten ids, composed | 13-14 small | 15-21
# seven ids, composed. With m = 4 the ten take 4 + 3 rows, the seven 4 + 2.
ROWS, STARTS, M = 22, (1, 3, 13, 15), 4


def layer(**kwargs):
    return CompositionalEmbedding(ROWS, 3, STARTS, M, **kwargs)


def loop(ids, remainders, quotients):
    """Each id's embedding, field by field as the paper's section 3.1 has it."""
    ends = (*STARTS[1:], ROWS)
    table_row, quotient_row, result = 1, 0, {0: remainders[0]}
    for start, end in zip(STARTS, ends, strict=True):
        if end - start <= M:
            for i in range(start, end):
                result[i] = remainders[table_row + i - start]
            table_row += end - start
            continue
        for i in range(start, end):
            remainder = remainders[table_row + (i - start) % M]
            result[i] = remainder * quotients[quotient_row + (i - start) // M]
        table_row += M
        quotient_row += -(-(end - start) // M)
    assert (len(remainders), len(quotients)) == (table_row, quotient_row)
    return np.stack([result[i] for i in ids])


def test_every_id_is_what_the_loop_says():
    made = layer()
    made.build((None,))
    awake(made)
    found = keras.ops.convert_to_numpy(made(np.arange(ROWS)))
    tables = [t.get_weights()[0] for t in (made.remainders, made.quotients)]
    np.testing.assert_allclose(found, loop(range(ROWS), *tables), rtol=1e-6)


def test_the_rows_it_takes():
    found = composition(ROWS, STARTS, M)
    assert found.table_rows == 1 + 2 + 4 + 2 + 4
    assert found.quotient_rows == 3 + 2
    assert [(r.start, r.end) for r in found.runs] == [(3, 13), (15, 22)]
    assert composition(ROWS, STARTS, 10).runs == ()
    with pytest.raises(ValueError, match="remainder_rows=0.*at least 1"):
        composition(ROWS, STARTS, 0)


@settings(deadline=None, max_examples=30)
@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    m=st.integers(1, 20),
)
def test_no_two_ids_share_both_rows(counts, m):
    starts = tuple(np.cumsum([1, *counts[:-1]]).tolist())
    rows = 1 + sum(counts)
    made = CompositionalEmbedding(rows, 4, starts, m)
    made.build((None,))
    awake(made)
    # A wide table of random rows: products are alike only where both rows are.
    found = keras.ops.convert_to_numpy(made(np.arange(rows)))
    assert len(np.unique(found, axis=0)) == rows


def test_without_a_large_field_it_is_a_full_table():
    made = CompositionalEmbedding(6, 2, (1, 4), 5)
    made.build((None,))
    assert made.quotients is None
    (table,) = made.get_weights()
    np.testing.assert_array_equal(made(np.arange(6)), table)


def test_ids_that_share_a_remainder_begin_as_one_and_learn_apart():
    keras.utils.set_random_seed(0)
    made = CompositionalEmbedding(2001, 16, (1,), 500)
    made.build((None,))
    found = keras.ops.convert_to_numpy(made(np.arange(1, 2001)))
    assert found.std() == pytest.approx(0.02, rel=0.1)  # as in a full table
    np.testing.assert_allclose(found[:500], found[500:1000], atol=0.01)
    weights = made.trainable_weights
    gradient = gradients(weights, lambda: made(np.array([1, 501])))
    by_name = {w.path.split("/")[-2]: g for w, g in zip(weights, gradient, strict=True)}
    assert np.flatnonzero(by_name["remainders"].any(axis=1)).tolist() == [1]
    assert np.flatnonzero(by_name["quotients"].any(axis=1)).tolist() == [0, 1]


def feature_embedding(**kwargs):
    return FeatureEmbedding(
        ROWS,
        3,
        (1, 2, 1, 1),
        STARTS,
        table="quotient_remainder",
        remainder_rows=M,
        **kwargs,
    )


def test_padding_gives_zero_and_unknown_ids_learn():
    made = feature_embedding()
    made.build((None, 5))
    awake(made)
    np.testing.assert_array_equal(made(np.zeros((2, 5), int)), np.zeros((2, 12)))
    # A field of two values: one is padding, so the mean is the other.
    one = run(made, [np.array([[1, 12, 0, 13, 21]])])
    two = run(made, [np.array([[1, 12, 12, 13, 21]])])
    np.testing.assert_allclose(one, two, rtol=1e-6)
    unknown = np.array([[1, 3, 0, 13, 15]])
    for gradient in gradients(made.trainable_weights, lambda: made(unknown)):
        assert np.abs(gradient).max() > 0
    nothing = np.zeros((1, 5), int)
    for gradient in gradients(made.trainable_weights, lambda: made(nothing)):
        assert not gradient.any()


def test_both_layers_keep_to_what_layers_keep_to():
    ids = np.array([[1, 3, 12, 14, 21], [2, 7, 0, 13, 15], [1, 11, 10, 14, 18]])
    check_layer(layer, (ids,), (3, 5, 3))
    check_layer(feature_embedding, (ids,), (3, 12))
    check_layer(lambda **k: EmbeddingTable(ROWS, 3, 0.5, **k), (ids,), (3, 5, 3))


def test_a_lookup_is_cast_and_the_table_is_not():
    made = EmbeddingTable(4, 2, dtype="mixed_float16")
    made.build()
    assert keras.backend.standardize_dtype(made(np.array([1])).dtype) == "float16"
    assert made.embeddings.dtype == "float32"
    made.set_weights([np.arange(8.0).reshape(4, 2)])
    np.testing.assert_array_equal(made(np.array([[3, 0]])), [[[6, 7], [0, 1]]])
