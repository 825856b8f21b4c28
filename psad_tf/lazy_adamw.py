"""AdamW whose cost for an embedding table is that of the rows a batch looked up.

TensorFlow only: JAX's gradients of tables are dense.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="psad_tf")
class LazyAdamW(keras.optimizers.AdamW):
    """AdamW, lazy in the rows of embedding tables.

    Keras' AdamW turns a table's gradient into a dense one, and updates weight, momentum
    and velocity of every row in every step. Here the rows that a batch did not look up
    stay as they are, their momentum and velocity included; the others are updated as by
    AdamW, and so is any weight with a dense gradient. Weight decay is dense in either:
    exclude tables from it (`exclude_from_weight_decay`). `amsgrad` is not supported.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("amsgrad=True; LazyAdamW has no such update, use AdamW")

    def _clip_gradients(self, grads):
        if not self.global_clipnorm:
            return super()._clip_gradients(grads)
        # Each row once, or the norm would not be that of the gradient.
        grads = [_summed(g) if isinstance(g, tf.IndexedSlices) else g for g in grads]
        return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]

    def update_step(self, gradient, variable, learning_rate):
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = _summed(gradient)
        g, rows = tf.cast(gradient.values, variable.dtype), gradient.indices
        index = self._get_variable_index(variable)
        m, v = self._momentums[index].value, self._velocities[index].value
        # Each row is read once: in a large table every look is one into slow memory.
        old_m, old_v = tf.gather(m, rows), tf.gather(v, rows)
        more_m, more_v = (
            (g - old_m) * (1 - self.beta_1),
            (g * g - old_v) * (1 - self.beta_2),
        )
        self._add(m, more_m, rows)
        self._add(v, more_v, rows)

        step = tf.cast(self.iterations + 1, variable.dtype)
        correction = tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        alpha = tf.cast(learning_rate, variable.dtype) * correction
        change = (old_m + more_m) / (tf.sqrt(old_v + more_v) + self.epsilon)
        self._add(variable, -alpha * change, rows)

    def _add(self, variable, change, rows):
        self.assign_add(variable, tf.IndexedSlices(change, rows))


def _summed(slices: tf.IndexedSlices) -> tf.IndexedSlices:
    """The same gradient with each row once."""
    rows, place = tf.unique(slices.indices)
    values = tf.math.unsorted_segment_sum(slices.values, place, tf.size(rows))
    return tf.IndexedSlices(values, rows, slices.dense_shape)
