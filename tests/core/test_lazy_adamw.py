"""LazyAdamW: AdamW on the rows that a batch looked up, and nothing on the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from psad_tf.layers.embedding_table import EmbeddingTable
from psad_tf.lazy_adamw import LazyAdamW

ROWS, DIM = 6, 3
EVERY_ROW = [[0, 1, 2], [3, 4, 5]]
# Rows of each step; a row may be looked up more than once.
STEPS = [[[0, 2], [2, 2]], [[5, 2], [5, 5]], [[0, 0], [1, 0]]]


class Trained:
    """A table, a dense weight, and an optimizer that trains both."""

    def __init__(self, optimizer, jit_compile=False):
        keras.utils.set_random_seed(1)
        self.table = EmbeddingTable(ROWS, DIM, mean=1.0)
        self.table.build()
        self.dense = keras.Variable([-1.0, 0.5, 2.0], name="kernel")
        self.optimizer = optimizer
        self.optimizer.exclude_from_weight_decay(var_names=["embedding"])
        self.weights = [self.table.embeddings, self.dense]
        self.optimizer.build(self.weights)
        self.gradients = []
        self.step = tf.function(self._step, jit_compile=jit_compile)

    def _step(self, ids):
        with tf.GradientTape() as tape:
            product = self.table(ids) * self.dense
            loss = tf.reduce_sum(tf.square(product - 3.0))
        values = [w.value for w in self.weights]
        gradients = tape.gradient(loss, values)
        self.gradients.append(gradients[0])
        self.optimizer.apply_gradients(zip(gradients, self.weights, strict=True))

    def run(self, steps):
        for ids in steps:
            self.step(tf.constant(ids))
        return [w.numpy() for w in self.weights]


def adamw(kind, clip=None):
    return kind(0.1, weight_decay=0.2, global_clipnorm=clip)


@pytest.mark.parametrize("clip", [None, 0.5])
def test_it_is_adamw_where_every_row_is_looked_up(clip):
    found = Trained(adamw(LazyAdamW, clip)).run([EVERY_ROW] * 4)
    expected = Trained(adamw(keras.optimizers.AdamW, clip)).run([EVERY_ROW] * 4)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def loop(table, dense, steps, rate=0.1, decay=0.2):
    """The same in plain loops: each row has its own momentum and velocity."""
    state = {i: [np.zeros(DIM), np.zeros(DIM)] for i in (*range(ROWS), "dense")}

    def change(key, gradient, t):
        m, v = state[key]
        m[:] = 0.9 * m + 0.1 * gradient
        v[:] = 0.999 * v + 0.001 * gradient**2
        alpha = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return alpha * m / (np.sqrt(v) + 1e-7)

    for t, ids in enumerate(steps, start=1):
        of_row, of_dense = {}, np.zeros(DIM)
        for i in np.ravel(ids):
            error = 2 * (table[i] * dense - 3.0)
            of_row[i] = of_row.get(i, 0) + error * dense
            of_dense = of_dense + error * table[i]
        for i, gradient in of_row.items():
            table[i] -= change(i, gradient, t)
        dense = dense * (1 - rate * decay) - change("dense", of_dense, t)
    return table, dense


@pytest.mark.parametrize("jit_compile", [False, True])
def test_rows_are_updated_as_a_loop_would(jit_compile):
    trained = Trained(adamw(LazyAdamW), jit_compile)
    start = [w.numpy().astype(float) for w in trained.weights]
    found = trained.run(STEPS)
    for a, b in zip(found, loop(*start, STEPS), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    # Rows 3 and 4 were never looked up.
    np.testing.assert_array_equal(found[0][3:5], start[0][3:5].astype("float32"))


def test_the_norm_that_is_clipped_is_that_of_summed_rows():
    # One row twice: its gradients add up before the norm is taken.
    first, second = Trained(adamw(LazyAdamW, 1.0)), Trained(adamw(LazyAdamW, 1.0))
    slices = tf.IndexedSlices(tf.constant([[3.0, 0, 0], [0, 4.0, 0]]), [2, 2], (6, 3))
    dense = tf.zeros(DIM)
    scaled = tf.IndexedSlices(slices.values * 0.01, slices.indices, (6, 3))
    summed, _ = first.optimizer._clip_gradients([slices, dense])
    # The norm of (3, 4, 0) is 5.
    np.testing.assert_allclose(summed.values, [[0.6, 0.8, 0]], rtol=1e-6)
    np.testing.assert_array_equal(summed.indices, [2])
    (kept, _) = second.optimizer._clip_gradients([scaled, dense])
    np.testing.assert_allclose(np.linalg.norm(kept.values), 0.05, rtol=1e-6)


def test_no_gradient_of_the_size_of_the_table_is_made():
    trained = Trained(adamw(LazyAdamW, 1.0))
    trained.run(STEPS[:1])
    assert isinstance(trained.gradients[0], tf.IndexedSlices)
    graph = trained.step.get_concrete_function(tf.constant(STEPS[0])).graph
    computed = [
        op
        for op in graph.get_operations()
        for output in op.outputs
        if output.shape.as_list() == [ROWS, DIM]
    ]
    assert computed == []


def test_what_it_cannot_do_is_refused_and_the_rest_survives_its_config():
    with pytest.raises(ValueError, match="amsgrad=True.*AdamW"):
        LazyAdamW(0.1, amsgrad=True)
    packed = keras.saving.serialize_keras_object(adamw(LazyAdamW, 0.5))
    twin = keras.saving.deserialize_keras_object(packed)
    assert isinstance(twin, LazyAdamW)
    assert twin.global_clipnorm == 0.5
