"""PSAD's training and test step on TensorFlow.

Other backends use Keras' own steps, which reach the same loss through `compute_loss`.
"""

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    class JointStep:
        """Both branches in one step (eq 10); every part of the loss is logged."""

        def train_step(self, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            with tf.GradientTape() as tape:
                outputs = self(x, training=True)
                loss = self.compute_loss(x, y, outputs, weight, training=True)
                loss = self.optimizer.scale_loss(loss)
            weights = self.trainable_weights
            gradients = tape.gradient(loss, weights)
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return self.get_metrics_result()

        def test_step(self, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            outputs = self(x, training=False)
            self.compute_loss(x, y, outputs, weight, training=False)
            return self.get_metrics_result()

else:

    class JointStep:
        """Nothing to add: Keras' own steps call `compute_loss`."""
