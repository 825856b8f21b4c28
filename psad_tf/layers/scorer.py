"""The student: the only branch that is served."""

import keras

from psad_tf.config import PSADConfig
from psad_tf.layers.list_encoder import ListEncoder
from psad_tf.layers.scoring_network import ScoringNetwork


@keras.saving.register_keras_serializable(package="psad_tf")
class Scorer(keras.Model):
    """Scores all candidates of a list at once; knows nothing of the generator.

    Args:
        config: A `PSADConfig`, or its values by name.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = c = PSADConfig.of(config)
        self.encoder = ListEncoder(c, dtype=self.dtype_policy, name="list_encoder")
        self.head = ScoringNetwork(
            c.hidden_dim, c.dropout, dtype=self.dtype_policy, name="scoring_network"
        )

    def build(self, inputs_shape=None):
        self.encoder.build()
        self.head.build((None, self.config.list_length, self.config.hidden_dim))

    def call(self, inputs, training=False):
        """Scores.

        Args:
            inputs: The input tensors by name, see `psad_tf.model.PSAD`.
            training: Whether dropout is on.

        Returns:
            float32 `[batch, list]`, higher is better; the mask logit on padding.
        """
        states = self.encoder(inputs, training=training)
        return self.head(states, inputs["candidate_is_valid"], training=training)

    def user_side(self, inputs):
        """What the candidates have no part in; see `ListEncoder.user_side`."""
        return self.encoder.user_side(inputs)

    def with_user_side(self, side, inputs):
        """Scores, as `call` does, beside what `user_side` made of the user.

        Args:
            side: Of the user of each list.
            inputs: The input tensors of the candidates by name.

        Returns:
            float32 `[batch, list]`, higher is better; the mask logit on padding.
        """
        states = self.encoder.with_user_side(side, inputs)
        return self.head(states, inputs["candidate_is_valid"])

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}
