"""PSAD's training and test step on TensorFlow, on one device or many.

Other backends use Keras' own steps, which reach the same loss through `compute_loss`.

What Keras leaves to be done under `tf.distribute` stands here: a loss is the mean over
the lists of all replicas, however many each one has; gradients are summed over replicas
before anything looks at them (Keras clips, and tests for overflow, each replica's own).
"""

import keras

from psad_tf.training_optimizer import Reduced

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    class JointStep:
        """Both branches in one step (eq 10); every part of the loss is logged."""

        def train_step(self, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            whole = not getattr(_inner(self.optimizer), "takes_slices", False)
            if self.jit_compile and not whole:
                raise ValueError(
                    "jit_compile=True: under XLA lazy updates touch the wrong rows; "
                    "compile with jit_compile=False, or train with dense updates"
                )
            share = share_of_lists(y, weight)
            with tf.GradientTape() as tape:
                outputs = self(x, training=True)
                loss = self.compute_loss(x, y, outputs, weight, training=True) * share
                scaled = self.optimizer.scale_loss(loss)
            weights = self.trainable_weights
            loss, *gradients = sum_over_replicas(
                [loss, *tape.gradient(scaled, weights)], self.optimizer
            )
            is_finite = tf.math.is_finite(loss)
            gradients = [_usable(g, is_finite, whole) for g in gradients]
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return self._logs()

        def test_step(self, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            outputs = self(x, training=False)
            self.compute_loss(x, y, outputs, weight, training=False)
            return self._logs()

        def _logs(self):
            logs = self.get_metrics_result()
            strategy = tf.distribute.get_strategy()
            if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
                # Keras averages over hosts along an axis, and a scalar has none.
                return {name: tf.reshape(value, (1,)) for name, value in logs.items()}
            return logs

        def _maybe_symbolic_build(self, iterator=None, data_batch=None):
            # Keras averages a batch over replicas to learn its shapes, which fails on
            # booleans; this model is built from its configuration.
            if not self.built:
                raise ValueError("build the model before it is trained or evaluated")

    def share_of_lists(label, weight=None):
        """What this replica's mean over lists counts in the mean over all replicas'.

        Args:
            label: float `[batch, list]`, of this replica's lists.
            weight: float `[batch]`, the weight of each list, or None.

        Returns:
            float32 scalar; the shares of all replicas sum to 1.
        """
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return tf.constant(1.0)
        if weight is None:
            count = tf.cast(tf.shape(label)[0], tf.float32)
        else:
            count = tf.reduce_sum(tf.cast(weight, tf.float32))
        return count / context.all_reduce(tf.distribute.ReduceOp.SUM, count)

    def sum_over_replicas(values, optimizer):
        """Each value's sum over all replicas; None stays None.

        Raises:
            ValueError: There are several replicas, and `optimizer` would sum again.
        """
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            return values
        if not isinstance(_inner(optimizer), Reduced):
            name = type(_inner(optimizer)).__name__
            raise ValueError(
                f"optimizer={name} sums gradients over replicas, and so does this "
                "step; compile with psad_tf.training_optimizer.optimizer"
            )
        present = [v for v in values if v is not None]
        reduced = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
        return [None if v is None else next(reduced) for v in values]

    def _inner(optimizer):
        """The optimizer inside Keras' loss scaling of float16, or itself."""
        return getattr(optimizer, "inner_optimizer", optimizer)

    def _usable(gradient, is_finite, whole):
        """A gradient, 0 after a loss that is not finite; `whole` asks for one tensor.

        A table's gradient comes in rows, several for an id that occurs often: their
        norm and their squares are not those of the gradient. A step that is about to
        fail leaves the weights as they were, so that one can see what was wrong.
        """
        if gradient is None:
            return None
        if isinstance(gradient, tf.IndexedSlices) and not whole:
            values = tf.where(is_finite, gradient.values, 0)
            return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
        return tf.where(is_finite, tf.convert_to_tensor(gradient), 0)

else:

    class JointStep:
        """Nothing to add: Keras' own steps call `compute_loss`."""
