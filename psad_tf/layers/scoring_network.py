"""The student's head: one score for each candidate (eq 7)."""

import keras
from keras import ops

from psad_tf.layers.dense import Dense
from psad_tf.masking import mask_logits


@keras.saving.register_keras_serializable(package="psad_tf")
class ScoringNetwork(keras.layers.Layer):
    """An MLP on each candidate's state.

    Args:
        hidden_dim: Width of the hidden layer.
        dropout: Rate of dropout behind it.
    """

    def __init__(self, hidden_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.dropout = dropout

    def build(self, states_shape, candidate_is_valid_shape=None):
        policy = self.dtype_policy
        self.hidden = Dense(
            self.hidden_dim, activation="relu", dtype=policy, name="hidden"
        )
        self.hidden.build(states_shape)
        self.drop = keras.layers.Dropout(self.dropout, dtype=policy)
        # In half precision some candidates would get the same score.
        self.score = Dense(1, dtype="float32", name="score")
        self.score.build((None, self.hidden_dim))

    def call(self, states, candidate_is_valid, training=False):
        """Scores.

        Args:
            states: float `[batch, list, dim]`.
            candidate_is_valid: bool `[batch, list]`.
            training: Whether dropout is on.

        Returns:
            float32 `[batch, list]`, the logit of s of eq 7; the mask logit on padding.
        """
        hidden = self.drop(self.hidden(states), training=training)
        scores = ops.squeeze(self.score(hidden), -1)
        return mask_logits(scores, candidate_is_valid)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }
